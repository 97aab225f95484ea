// The main job by keyboard alone: no pointer is used in this file.

import assert from "node:assert/strict";
import test from "node:test";

import { pushed } from "./support/builder.js";
import { expect } from "./support/expect.js";
import { committed } from "./support/git.js";
import { stage } from "./support/stage.js";

/** Presses Tab until what has this role and name is focused. */
async function tabTo(page, role, name) {
  const wanted = page.getByRole(role, { name }).first();
  await wanted.waitFor();
  for (let presses = 0; presses < 120; presses += 1) {
    if (await wanted.evaluate((node) => node === node.getRootNode().activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab never reaches the ${role} ${name}`);
}

async function press(page, role, name) {
  await tabTo(page, role, name);
  await page.keyboard.press("Enter");
}

test("from the sign-in link to a pushed secret without a pointer", async (t) => {
  const { server, page, record } = await stage(t);
  await page.goto(server.link);
  await tabTo(page, "textbox", "Organisation name");
  await page.keyboard.type("Acme Ltd.");
  await page.keyboard.press("Enter");
  await press(page, "button", "Initialize encryption");
  await press(page, "button", "Go to your stacks");
  await press(page, "button", "New stack");
  await tabTo(page, "textbox", "Name");
  await page.keyboard.type("by-keyboard");
  await page.keyboard.press("Enter");
  await press(page, "button", "Add a manifest");
  await tabTo(page, "textbox", "Name");
  await page.keyboard.type("token");
  await tabTo(page, "textbox", /^YAML of /);
  await page.keyboard.insertText("apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n  token: hunter2\n");

  // CodeMirror leaves Tab alone, so the editor is no trap
  await tabTo(page, "textbox", "Key to encrypt");
  await page.keyboard.type("token");
  await page.keyboard.press("Enter");
  await tabTo(page, "button", "Reveal stringData.token");
  await page.keyboard.press("Space");
  await expect(() => page.getByText("hunter2").first().isVisible(), "the value is revealed");
  await page.keyboard.press("Space");
  await expect(async () => (await page.getByText("hunter2").count()) === 0, "the value is hidden again");
  await page.keyboard.press("ControlOrMeta+s");
  await pushed(page);
  assert.match(committed(server, "clusters/main/stacks/by-keyboard/manifests/token.yaml"), /^ {2}token: ENC\[/m);
  record.judge(server.origin);
});

test("whatever is focused can be seen to be", async (t) => {
  const { server, page } = await stage(t);
  await page.goto(server.link);
  await page.getByLabel("Organisation name").waitFor();
  for (let stop = 0; stop < 6; stop += 1) {
    await page.keyboard.press("Tab");
    const visible = await page.evaluate(() => {
      const node = document.activeElement;
      if (!node || node === document.body) return true;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node);
      return (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) || boxShadow !== "none";
    });
    assert.ok(visible, `stop ${stop}`);
  }
});

test("a dialog takes the focus, and Escape gives it back", async (t) => {
  const { server, page } = await stage(t);
  await page.goto(server.link);
  await tabTo(page, "textbox", "Organisation name");
  await page.keyboard.type("Acme Ltd.");
  await page.keyboard.press("Enter");
  await press(page, "button", "Initialize encryption");
  await press(page, "button", "Go to your stacks");
  await press(page, "button", "Shortcuts and help");
  await page.getByRole("dialog").waitFor();
  assert.ok(await page.evaluate(() => document.activeElement?.closest("dialog, [role=dialog]") !== null));
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Shortcuts and help");
});
