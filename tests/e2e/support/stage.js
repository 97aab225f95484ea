// A server, a browser and a page for one test, with everything recorded that the page does.

import assert from "node:assert/strict";
import { launch } from "./chromium.js";
import { Server } from "./server.js";

/** What a page sent, said and broke. */
export class Record {
  requests = [];
  messages = [];
  violations = [];
  failures = [];

  /** @param {import("playwright-core").Page} page */
  watch(page) {
    page.on("request", (request) => {
      this.requests.push({
        method: request.method(),
        url: request.url(),
        headers: JSON.stringify(request.headers()),
        body: request.postDataBuffer() ?? Buffer.alloc(0),
      });
    });
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => {
        this.requests.push({ method: "websocket", url: socket.url(), headers: "", body: Buffer.from(payload) });
      });
    });
    page.on("console", (message) => {
      this.messages.push(message.text());
      if (/Content Security Policy|Trusted Types?|TrustedHTML|TrustedScript/i.test(message.text())) {
        this.violations.push(message.text());
      }
    });
    page.on("pageerror", (error) => this.failures.push(String(error)));
  }

  /** The page kept to the policy, broke nothing, and spoke to its own server only. */
  judge(origin) {
    assert.deepEqual(this.violations, [], "content security policy");
    assert.deepEqual(this.failures, [], "errors in the page");
    const foreign = this.requests.filter(({ url }) => !url.startsWith(`${origin}/`) && !url.startsWith("data:"));
    assert.deepEqual(foreign.map(({ url }) => url), [], "requests to others");
  }
}

/**
 * @param {import("node:test").TestContext} t
 * @param {{width?: number, height?: number, theme?: "light" | "dark", script?: [Function, any]}} [options]
 */
export async function stage(t, options = {}) {
  const server = await Server.start();
  const { context, close } = await launch({
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.theme ?? "light",
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(15_000);
  if (options.script) await context.addInitScript(...options.script);
  const record = new Record();
  context.on("page", (page) => record.watch(page));
  const page = context.pages()[0];
  record.watch(page);
  t.after(async () => {
    await close();
    await server.remove();
  });
  return { server, context, page, record };
}
