// Takes the pictures of docs/screens: every screen at two widths, light and dark. Not a test; `make screens` runs it.

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { openFile, replaceValue, save } from "./support/builder.js";
import { expect } from "./support/expect.js";
import { stage } from "./support/stage.js";

const folder = fileURLToPath(new URL("../../docs/screens/", import.meta.url));

/** What stands where a test would: runs what is to be tidied up at the end. */
class Tidy {
  acts = [];
  after(act) {
    this.acts.push(act);
  }
  async end() {
    for (const act of this.acts.reverse()) await act();
  }
}

async function take(theme, width, height) {
  const tidy = new Tidy();
  const { server, context, page } = await stage(tidy, { theme, width, height });
  const session = await context.newCDPSession(page);
  const picture = async (name) => {
    const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 60 });
    const file = path.join(folder, `${name}-${width}-${theme}.webp`);
    await writeFile(file, Buffer.from(data, "base64"));
  };
  const part = async (name) => {
    if (width < 1024) await page.getByRole("group", { name: "Shown part" }).getByRole("button", { name }).click();
  };
  try {
    await page.goto(`${server.origin}/signin`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await picture("1-sign-in");
    await page.goto("about:blank");
    await page.goto(server.link);
    await page.getByLabel("Organisation name").fill("Acme Ltd.");
    await picture("2-organisation");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("button", { name: "Initialize encryption" }).click();
    await page.getByTestId("recipient").waitFor();
    await picture("3-encryption");
    await page.getByRole("button", { name: "Go to your stacks" }).click();
    await page.getByRole("heading", { name: "No stacks yet" }).waitFor();
    await picture("4-no-stacks");
    await page.getByRole("button", { name: "Take the sample stack" }).click();
    await part("Files");
    await openFile(page, "postgres-credentials");
    await replaceValue(page, "stringData.password", "correct-horse-battery");
    await page.keyboard.press("ArrowUp");
    await expect(() => page.locator(".plan", { hasText: "3 values sealed" }).isVisible(), "the preview is there");
    const sealed = page.locator(".git-pane .cm-content");
    await expect(async () => (await sealed.textContent()).includes("'ENC"), "and it is that of the new value");
    await picture("5-builder");
    await part("Git");
    await page.getByRole("tab", { name: /^Diff/ }).click();
    await picture("6-diff");
    await save(page);
    await page.getByRole("tab", { name: "Sealed text" }).click();
    await picture("7-pushed");
    await page.reload();
    await page.getByRole("button", { name: "Unlock to edit" }).waitFor();
    await picture("8-sealed");
    await page.goto(`${server.origin}/`);
    await page.getByRole("link", { name: "sample" }).waitFor();
    await picture("9-stacks");
    await page.goto(`${server.origin}/settings`);
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    // as it reads on a person's machine, not in the folder of this run
    await page.getByText("/data/remote.git").evaluate((node) => (node.textContent = "file:///srv/stackseal/remote.git"));
    await picture("10-settings");
  } finally {
    await tidy.end();
  }
}

await mkdir(folder, { recursive: true });
for (const theme of ["light", "dark"]) {
  await take(theme, 1440, 900);
  await take(theme, 390, 844);
}
