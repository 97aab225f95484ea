// The whole path once: a field marked in the browser is sealed there, saved to Git, and opened by stock sops.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";

import { gitText, openFile, replaceValue, save, setUp, unlock } from "./support/builder.js";
import { expect } from "./support/expect.js";
import { changedLines, committed, diff, files, git } from "./support/git.js";
import { decrypt } from "./support/sops.js";
import { stage } from "./support/stage.js";
import { shown } from "./support/canary.js";

const FILE = "clusters/main/stacks/sample/manifests/postgres-credentials.yaml";

/** Told to whoever asked for a transcript. */
const told = [];
const tell = (title, text) => told.push(`## ${title}\n\n\`\`\`\n${text.trimEnd()}\n\`\`\`\n`);

test("the main job, from the sign-in link to a second save", async (t) => {
  const { server, context, page, record } = await stage(t);
  const [first, second] = [0, 1].map(() => randomBytes(12).toString("hex"));

  const recipient = await setUp(page, server.link);
  assert.match(recipient, /^age1[0-9a-z]{58}$/);
  assert.equal(new URL(page.url()).hash, "", "the token is gone from the address");

  await page.getByRole("button", { name: "Take the sample stack" }).click();
  await openFile(page, "postgres-credentials");
  await replaceValue(page, "stringData.password", first);
  // ends typing; a line break would be part of the value, and masked
  await page.keyboard.press("Enter");
  const typed = typedSample(first);
  tell("What was typed", typed);

  // 24 characters are 32 in base64: then the pane has caught up with what was typed
  await expect(async () => /^ {2}password: 'ENC\[AES256_GCM,data:.{32},iv:/m.test(await gitText(page)), "the pane shows ciphertext");
  const announced = await gitText(page);
  assert.ok(!announced.includes(first));
  const commit = await save(page);
  const sealed = committed(server, FILE);
  tell("The committed file", sealed);
  assert.equal(announced, sealed, "what the pane shows before saving is what Git holds after it");
  assert.equal(git(server.remote, "rev-parse", "--short=7", "main").trim(), commit);
  assert.deepEqual(files(server).filter((path) => path.includes("/stacks/")).sort(), [
    "clusters/main/stacks/sample/manifests/postgres-credentials.yaml",
    "clusters/main/stacks/sample/manifests/registry-auth.yaml",
    "clusters/main/stacks/sample/values/grafana.yaml",
  ]);
  const trailers = git(server.remote, "log", "-1", "--format=%(trailers:only,unfold)", "main").trim().split("\n");
  assert.deepEqual(trailers.map((line) => line.split(":")[0]).sort(), ["Actor", "Save-Id", "Stack"]);

  tell("git diff --stat between the typed and the sealed text", diff(typed, sealed, undefined, "--stat"));
  const { removed, added } = changedLines(typed, sealed);
  assert.deepEqual(removed, [`  password: '${first}'`]);
  assert.match(added[0], /^ {2}password: 'ENC\[AES256_GCM,data:.+,type:str\]'$/);
  assert.equal(added[1], "sops:");
  assert.ok(added.slice(2).every((line) => line.startsWith("    ")), "the rest is the sops block");

  const data = await decrypt(server, context, FILE);
  tell("What stock sops decrypts", JSON.stringify(data, null, 2));
  assert.deepEqual(data, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "postgres-credentials", namespace: "database" },
    type: "Opaque",
    stringData: { username: "app_user", password: first },
  });
  assert.equal((await decrypt(server, context, "clusters/main/stacks/sample/values/grafana.yaml")).adminPassword, "sample-admin-password");
  assert.match((await decrypt(server, context, "clusters/main/stacks/sample/manifests/registry-auth.yaml")).data[".dockerconfigjson"], /^eyJ/);

  await page.reload();
  await openFile(page, "postgres-credentials");
  await unlock(page);
  assert.ok(!(await shown(page)).includes(first), "masked by default");
  const keys = page.getByRole("region", { name: "Encrypted Keys (SOPS)" });
  await keys.getByRole("button", { name: "Reveal stringData.password" }).click();
  await expect(async () => (await shown(page)).includes(first), "one value is revealed");
  await keys.getByRole("button", { name: "Reveal stringData.password" }).click();
  await expect(async () => !(await shown(page)).includes(first), "and hidden again");

  await replaceValue(page, "stringData.password", second);
  await page.getByRole("tab", { name: /^Diff/ }).click();
  const difference = page.locator(".git-pane .cm-content");
  await expect(async () => (await difference.innerText()).includes("age[…]"), "the wrapped key, cut by the difference, is folded");
  assert.doesNotMatch(await difference.innerText(), /[A-Za-z0-9+/]{64}|AGE ENCRYPTED/);
  await save(page);
  const resealed = committed(server, FILE);
  tell("git diff after one secret was changed", diff(sealed, resealed, ["first-save", "second-save"], "--unified=0"));
  const change = changedLines(sealed, resealed);
  const names = (lines) => lines.map((line) => line.trim().split(":")[0]);
  assert.deepEqual(names(change.removed), ["password", "lastmodified", "mac"]);
  assert.deepEqual(names(change.added), ["password", "lastmodified", "mac"]);
  assert.equal((await decrypt(server, context, FILE)).stringData.password, second);
  const touched = git(server.remote, "show", "--format=", "--name-only", "main").trim();
  assert.equal(touched, FILE, "one commit, one file");

  record.judge(server.origin);
  assert.equal(await server.stop(), 0, "Ctrl-C ends it cleanly");
  if (process.env.STACKSEAL_TRANSCRIPT) writeFileSync(process.env.STACKSEAL_TRANSCRIPT, `${HEAD}\n${told.join("\n")}`);
});

const HEAD = `# Transcript of the end-to-end test

What a person typed in the page, and what came of it; written by \`make transcript\`. The organisation's identity never
leaves the vault, so for sops the data key is asked for as the page asks for it, and wrapped to a key of the test in a
copy of the file; every value and the MAC are as committed.
`;

/** The sample as the page has it, with the password that was typed. */
function typedSample(password) {
  const source = readFileSync(new URL("../../web/src/samples.rs", import.meta.url), "utf8");
  const text = /name: "postgres-credentials",[^]*?text: "\\\n([^"]+)"/.exec(source)[1];
  const typed = text.replace(/^( {2}password: ).+$/m, `$1'${password}'`);
  assert.ok(typed.includes(password));
  return typed;
}
