// Waits until something holds, by asking again; the deadline is there to end a test, not to time it.

import assert from "node:assert/strict";

const DEADLINE_MS = 30_000;
const PAUSE_MS = 50;

/** @param {() => Promise<unknown> | unknown} holds @param {string} what */
export async function expect(holds, what) {
  const end = Date.now() + DEADLINE_MS;
  let reason;
  do {
    try {
      if (await holds()) return;
      reason = undefined;
    } catch (error) {
      reason = error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  } while (Date.now() < end);
  assert.fail(`waited in vain: ${what}${reason ? `: ${reason}` : ""}`);
}
