// The real browser, with a profile of its own.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * @param {object} [options] more for Playwright
 * @returns {Promise<{context: import("playwright-core").BrowserContext, close: () => Promise<void>}>}
 */
export async function launch(options = {}) {
  const profile = await mkdtemp(path.join(tmpdir(), "stackseal-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.STACKSEAL_CHROMIUM ?? "/usr/bin/chromium",
    args: ARGUMENTS,
    locale: "en-GB",
    ...options,
  });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { context, close };
}
