// Every screen, in its states, light and dark, by axe; and nothing that scrolls two ways on a narrow screen.

import assert from "node:assert/strict";
import test from "node:test";

import { accessible } from "./support/axe.js";
import { addMark, newStack, openFile, replaceValue, save, unlock, write } from "./support/builder.js";
import { expect } from "./support/expect.js";
import { stage } from "./support/stage.js";

for (const theme of ["light", "dark"]) {
  for (const width of [1440, 390]) {
    test(`every screen is accessible, ${theme}, ${width} px`, async (t) => {
      const { server, page, record } = await stage(t, { theme, width, height: 900 });
      const look = async (screen) => {
        await accessible(page, `${screen}, ${theme}, ${width} px`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wide <= 0, `${screen} is ${wide} px too wide at ${width} px`);
      };

      await page.goto(`${server.origin}/signin`);
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await look("sign in");
      await page.getByLabel("Sign-in link").fill("no link");
      await page.getByRole("button", { name: "Sign in" }).click();
      await look("sign in, refused");

      await page.goto("about:blank");
      await page.goto(server.link);
      await page.getByLabel("Organisation name").fill("Acme\tLtd.");
      await look("name the organisation, error");
      await page.getByLabel("Organisation name").fill("Acme Ltd.");
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByRole("button", { name: "Initialize encryption" }).waitFor();
      await look("initialise encryption");
      await page.getByRole("button", { name: "Initialize encryption" }).click();
      await page.getByTestId("recipient").waitFor();
      await look("encryption is on");
      await page.getByRole("button", { name: "Go to your stacks" }).click();
      await page.getByRole("heading", { name: "No stacks yet" }).waitFor();
      await look("stacks, empty");

      await page.getByRole("button", { name: "New stack" }).click();
      await page.getByLabel("Name", { exact: true }).fill("Not a name");
      await look("new stack, error");
      await page.getByRole("button", { name: "Cancel" }).click();
      await newStack(page, "empty");
      await look("builder, empty");

      await page.goto(`${server.origin}/`);
      await page.getByRole("button", { name: "Take the sample stack" }).click();
      await shownPart(page, width, "Edit");
      await look("builder, sample");
      await shownPart(page, width, "Git");
      await look("builder, what Git will hold");
      await page.getByRole("tab", { name: /^Diff/ }).click();
      await look("builder, diff");
      await shownPart(page, width, "Files");
      await look("builder, files");
      await openFile(page, "grafana");
      await addMark(page, "nothing.here");
      await look("builder, a mark that matches nothing");
      await page.getByRole("button", { name: "Remove the mark nothing.here" }).click();
      await save(page);
      await look("builder, saved");

      await page.reload();
      await page.getByRole("button", { name: "Unlock to edit" }).waitFor();
      await look("builder, sealed");
      await shownPart(page, width, "Files");
      await openFile(page, "postgres-credentials");
      await unlock(page);
      await replaceValue(page, "stringData.password", "another");
      await look("builder, unlocked and changed");
      await write(page, "a: [broken\n");
      await expect(() => page.locator(".plan.wrong").isVisible(), "the text is refused");
      await look("builder, broken text");
      await page.getByRole("link", { name: "Settings" }).click();
      await page.getByRole("dialog").waitFor();
      await look("leave question");
      await page.getByRole("button", { name: "Leave and drop the changes" }).click();
      await page.getByRole("heading", { name: "Settings" }).waitFor();
      await look("settings");
      await page.goto(`${server.origin}/`);
      await page.getByRole("link", { name: "sample" }).waitFor();
      await look("stacks");
      await page.getByRole("button", { name: "Shortcuts and help" }).click();
      await page.getByRole("dialog").waitFor();
      await look("help");
      await page.goto(`${server.origin}/nowhere/at/all`);
      await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
      await look("not found");
      record.judge(server.origin);
    });
  }
}

/** On a narrow screen one part is shown at a time. */
async function shownPart(page, width, part) {
  if (width < 1024) await page.getByRole("group", { name: "Shown part" }).getByRole("button", { name: part }).click();
}
