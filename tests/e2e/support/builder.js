// The page as its users know it: by the names of what is on it.

import { expect } from "./expect.js";

/** Signs in, names the organisation and makes its key pair. Resolves with the recipient. */
export async function setUp(page, link, organisation = "Acme Ltd.") {
  await page.goto(link);
  await page.getByLabel("Organisation name").fill(organisation);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Initialize encryption" }).click();
  const recipient = await page.getByTestId("recipient").innerText();
  await page.getByRole("button", { name: "Go to your stacks" }).click();
  await page.getByRole("heading", { name: "Stacks", exact: true }).waitFor();
  return recipient;
}

/** Makes an empty stack and opens it. */
export async function newStack(page, name) {
  await page.getByRole("button", { name: "New stack" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("button", { name: "Create stack" }).click();
  await page.getByRole("heading", { name, exact: true }).waitFor();
}

/** Adds a manifest with a text and marks to the open stack. */
export async function addManifest(page, { name, namespace, text, marks = [] }) {
  await page.getByRole("navigation", { name: "Files of the stack" }).getByRole("button", { name: "Add a manifest" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  if (namespace) await page.getByLabel("Namespace").fill(namespace);
  await write(page, text);
  for (const mark of marks) await addMark(page, mark);
}

export function editor(page) {
  return page.getByRole("textbox", { name: /^YAML of / });
}

/** Replaces the text of the editor by pasting. */
export async function write(page, text) {
  await page.evaluate((it) => navigator.clipboard.writeText(it), text);
  await editor(page).focus();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("ControlOrMeta+v");
  // only what is near the cursor stands in the document
  await page.keyboard.press("ControlOrMeta+Home");
  const first = text.split("\n")[0];
  await expect(async () => (await editor(page).innerText()).startsWith(first), "the text is in the editor");
}

export async function addMark(page, mark) {
  await page.getByLabel("Key to encrypt").fill(mark);
  await page.getByRole("button", { name: "Add key" }).click();
}

/** Types a new value in the place of a marked one, between the quotes that the page sets, key by key. */
export async function replaceValue(page, path, value) {
  await page.getByRole("region", { name: "Encrypted Keys (SOPS)" }).getByRole("button", { name: `Replace ${path}` }).click();
  await page.keyboard.type(value);
}

/** Seals and saves; resolves with the short commit id once it is pushed. */
export async function save(page) {
  await page.getByRole("button", { name: "Seal and save" }).click();
  return pushed(page);
}

export async function pushed(page) {
  const state = page.getByTestId("save-state");
  await expect(async () => /^Pushed [0-9a-f]{7}$/.test(await state.innerText()), "the save is pushed");
  return (await state.innerText()).slice("Pushed ".length);
}

export async function openFile(page, name) {
  await page.getByRole("navigation", { name: "Files of the stack" }).getByRole("button", { name }).click();
}

export async function unlock(page) {
  await page.getByRole("button", { name: "Unlock to edit" }).click();
  await page.getByRole("button", { name: "Unlock to edit" }).waitFor({ state: "detached" });
}

/** The text of the pane that shows what Git will hold, ciphertext unfolded. */
export async function gitText(page) {
  const folded = page.getByRole("button", { name: "Show ciphertext" });
  if (await folded.isVisible()) await folded.click();
  const lines = page.locator(".git-pane .cm-content .cm-line");
  return (await lines.allInnerTexts()).map((line) => (line === "\n" ? "" : line)).join("\n");
}
