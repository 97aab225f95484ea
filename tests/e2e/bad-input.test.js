// Each bad input gets its own clear words and code, is not sent, and leaves the typed text in the editor.

import assert from "node:assert/strict";
import test from "node:test";

import { addManifest, addMark, editor, newStack, save, setUp, write } from "./support/builder.js";
import { expect } from "./support/expect.js";
import { stage } from "./support/stage.js";

const secret = (lines) => `apiVersion: v1\nkind: Secret\nmetadata:\n  name: bad\nstringData:\n${lines}`;

/** What is typed, the marks, and the words and code that the page answers with. */
const REFUSED = [
  ["broken YAML", secret("  password: [one\n"), ["password"], /not valid YAML/, "yaml-syntax"],
  ["a key twice", secret("  password: one\n  password: two\n"), ["password"], /stands twice/, "duplicate-key"],
  ["an alias", secret("  password: &it one\n  again: *it\n"), ["password"], /alias/i, "alias-in-sealed-document"],
  ["a mark that matches nothing", secret("  password: one\n"), ["pasword"], /matches nothing|no value stands/i, "mark-matches-nothing"],
  ["a value that looks sealed", secret("  password: ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]\n"), ["password"], /looks sealed|looks like ENC/i, "value-looks-sealed"],
  ["a number in a Secret", secret("  password: 12345\n"), ["password"], /number/i, "non-string-in-secret"],
  ["a boolean in a Secret", secret("  password: true\n"), ["password"], /boolean/i, "non-string-in-secret"],
  ["a mark on what must stay readable", secret("  password: one\n"), ["kind"], /stay readable|in clear/i, "mark-on-reserved-field"],
  ["a path that would hit more", secret("  password: one\n  db:\n    password: two\n"), ["stringData.password"], /sealed too/i, "mark-hits-more"],
  ["a file over 1 MiB", secret(`  password: one\n  filler: ${"x".repeat(1024 * 1024)}\n`), ["password"], /too large|larger/i, "limit-exceeded"],
];

test("what cannot be sealed is refused in the page, and the text stays", async (t) => {
  const { server, page, record } = await stage(t);
  await setUp(page, server.link);
  await newStack(page, "bad");
  await addManifest(page, { name: "bad", namespace: "default", text: secret("  password: one\n"), marks: [] });
  for (const [what, text, marks, words, code] of REFUSED) {
    await t.test(what, async () => {
      await write(page, text);
      for (const mark of marks) await addMark(page, mark);
      await expect(() => page.locator(".plan.wrong").isVisible(), "the strip says that it cannot be saved");
      await page.keyboard.press("Control+s");
      const alert = page.getByRole("alert").filter({ has: page.locator(".code", { hasText: code }) }).first();
      await alert.waitFor();
      assert.match(await page.locator("main").innerText(), words);
      const first = text.split("\n")[0];
      await expect(async () => (await editor(page).innerText()).includes(first), "the text is still there");
      for (const mark of marks) await page.getByRole("button", { name: `Remove the mark ${mark}`, exact: true }).click();
    });
  }
  const sent = record.requests.filter(({ method, url }) => method === "POST" && url.endsWith("/saves"));
  assert.deepEqual(sent, [], "nothing was sent");
  // and the same file, mended, goes through
  await write(page, secret("  password: one\n"));
  await addMark(page, "password");
  await save(page);
  record.judge(server.origin);
});

test("names that cannot be names are refused with what to write instead", async (t) => {
  const { server, page } = await stage(t);
  await page.goto(server.link);
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(async () => /write one/.test(await page.locator("#organisation-hint").innerText()), "an empty name is refused at its field");
  await setUp(page, `${server.origin}/`);
  await newStack(page, "names");
  await addManifest(page, { name: "fine", text: secret("  password: one\n"), marks: ["password"] });
  for (const [name, words] of [["../etc", /lower-case letters, digits and '-'/], ["-a", /starts or ends with '-'/], ["x".repeat(64), /longer than 63/]]) {
    await page.getByLabel("Name", { exact: true }).fill(name);
    await expect(async () => words.test(await page.locator("#member-name-error").innerText()), `words for ${name}`);
  }
});

test("a name that another file of the stack has is refused while it is typed, and another one goes through", async (t) => {
  const { server, page } = await stage(t);
  await setUp(page, server.link);
  await newStack(page, "twice");
  await addManifest(page, { name: "keys", text: secret("  password: one\n"), marks: ["password"] });
  await save(page);
  await addManifest(page, { name: "keys", text: secret("  password: two\n"), marks: ["password"] });
  await expect(async () => /another file of this stack/i.test(await page.locator("#member-name-error").innerText()), "the field says so");
  await expect(() => page.locator(".plan.wrong").isVisible(), "and it cannot be saved");
  await page.getByLabel("Name", { exact: true }).fill("more-keys");
  await save(page);
});

test("a new file that the branch got meanwhile can be saved over it", async (t) => {
  const { server, page, context } = await stage(t);
  await setUp(page, server.link);
  await newStack(page, "both");
  const other = await context.newPage();
  await other.goto(page.url());
  for (const [tab, value] of [[page, "mine"], [other, "theirs"]]) {
    await tab.bringToFront();
    await addManifest(tab, { name: "keys", text: secret(`  password: ${value}\n`), marks: ["password"] });
  }
  await save(other);
  await page.bringToFront();
  await page.getByRole("button", { name: "Seal and save" }).click();
  await page.getByRole("button", { name: "Show what Git has now" }).click();
  await page.getByRole("button", { name: "Keep mine, to save over it" }).click();
  await save(page);
});

test("a sign-in link works once", async (t) => {
  const { server, page, context } = await stage(t);
  await setUp(page, server.link);
  // whoever is signed in already goes on
  await page.goto("about:blank");
  await page.goto(server.link);
  await page.getByText("you are signed in already").waitFor();
  await page.getByRole("heading", { name: "Stacks", exact: true }).waitFor();
  await context.clearCookies();
  await page.goto("about:blank");
  await page.goto(server.link);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByRole("alert").filter({ hasText: "sign-in-refused" }).or(page.getByRole("alert")).first().waitFor();
});
