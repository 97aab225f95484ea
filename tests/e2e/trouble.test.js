// What goes wrong around the page: a second tab, a restart, a remote that is away or that moved.

import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import test from "node:test";

import { addManifest, gitText, newStack, openFile, pushed, replaceValue, save, setUp, unlock } from "./support/builder.js";
import { expect } from "./support/expect.js";
import { committed, git } from "./support/git.js";
import { decrypt } from "./support/sops.js";
import { stage } from "./support/stage.js";

const TEXT = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: it\nstringData:\n  password: one\n";
const FILE = "clusters/main/stacks/it/manifests/it.yaml";

async function withOneFile(t) {
  const all = await stage(t);
  await setUp(all.page, all.server.link);
  await newStack(all.page, "it");
  await addManifest(all.page, { name: "it", namespace: "default", text: TEXT, marks: ["password"] });
  return all;
}

const saves = (server) => git(server.remote, "log", "--format=%(trailers:key=Save-Id,valueonly)", "main").split("\n").filter(Boolean);

test("a second tab that saves the same file meets a conflict, and nothing is overwritten", async (t) => {
  const { server, context, page, record } = await withOneFile(t);
  await save(page);
  const other = await context.newPage();
  await other.goto(`${server.origin}/stacks/it`);
  await openFile(other, "it");
  await unlock(other);

  await replaceValue(page, "stringData.password", "from-the-first-tab");
  await save(page);
  const kept = committed(server, FILE);
  await replaceValue(other, "stringData.password", "from-the-second-tab");
  await other.getByRole("button", { name: "Seal and save" }).click();
  await other.getByText("Somebody else changed this file meanwhile.").waitFor();
  assert.equal(committed(server, FILE), kept, "nothing was overwritten");

  await other.getByRole("button", { name: "Show what Git has now" }).click();
  await expect(async () => (await gitText(other)).includes("password: 'ENC["), "the branch's version is shown");
  await other.getByRole("button", { name: "Keep mine, to save over it" }).click();
  await save(other);
  assert.equal((await decrypt(server, context, FILE)).stringData.password, "from-the-second-tab");
  record.judge(server.origin);
});

test("a restart in the middle of typing loses nothing", async (t) => {
  const { server, context, page } = await withOneFile(t);
  await server.kill();
  await page.getByRole("button", { name: "Seal and save" }).click();
  await page.getByText("The server did not answer.").waitFor();
  await server.again();
  await page.getByRole("button", { name: "Try again" }).click();
  await pushed(page);
  assert.equal((await decrypt(server, context, FILE)).stringData.password, "one");
  assert.equal(new Set(saves(server)).size, saves(server).length, "nothing twice");
});

test("a remote that is away makes a save wait with a reason, over a restart, until it is back", async (t) => {
  const { server, context, page } = await withOneFile(t);
  const away = `${server.remote}.away`;
  renameSync(server.remote, away);
  await page.getByRole("button", { name: "Seal and save" }).click();
  await page.getByText("but not in Git yet").waitFor();
  await page.getByText(/remote-unreachable|remote-/).first().waitFor();
  await server.kill();
  renameSync(away, server.remote);
  await server.again();
  await pushed(page);
  assert.equal((await decrypt(server, context, FILE)).stringData.password, "one");
  assert.equal(saves(server).length, new Set(saves(server)).size, "nothing twice");
});

test("a branch that others move is followed", async (t) => {
  const { server, context, page } = await withOneFile(t);
  await save(page);
  const clone = `${server.folder}/clone`;
  git(server.folder, "clone", "--quiet", server.remote, clone);
  git(clone, "-c", "user.name=Other", "-c", "user.email=other@example.org", "commit", "--quiet", "--allow-empty", "-m", "someone else");
  git(clone, "push", "--quiet", "origin", "HEAD:main");
  await replaceValue(page, "stringData.password", "two");
  await save(page);
  assert.equal((await decrypt(server, context, FILE)).stringData.password, "two");
  assert.match(git(server.remote, "log", "--format=%s", "main"), /someone else/);
});
