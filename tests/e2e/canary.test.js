// On save, no plaintext leaves the browser: looked for everywhere, in many forms. And the look itself is tested, with
// a page that does not seal.

import assert from "node:assert/strict";
import test from "node:test";

import { addManifest, newStack, openFile, replaceValue, save, setUp, unlock } from "./support/builder.js";
import { escapedCanary, forms, formsIn, kept, plainCanary, shown, sweep } from "./support/canary.js";
import { stage } from "./support/stage.js";

const secretText = (typed, quoted) => `apiVersion: v1
kind: Secret
metadata:
  name: canary
type: Opaque
stringData:
  user: admin
  pasted: '${quoted}'
  token: ${typed}
`;

test("a secret typed in the page is nowhere but in the tab", async (t) => {
  const { server, page, record } = await stage(t);
  await setUp(page, server.link);
  const [pasted, first, second, replaced] = [escapedCanary(), plainCanary(), plainCanary(), plainCanary()];
  const all = [pasted, first, second, replaced];

  await newStack(page, "canary");
  await addManifest(page, {
    name: "canary",
    namespace: "default",
    text: secretText(first, pasted),
    marks: ["token", "stringData.pasted"],
  });
  // typed key by key, then saved; then opened again and changed
  await replaceValue(page, "stringData.token", second);
  await save(page);
  assert.deepEqual(sweep({ server, record }, all), [], "after the first save");

  await page.reload();
  await openFile(page, "canary");
  await unlock(page);
  const masked = async (when) => {
    const visible = await shown(page);
    for (const secret of all) assert.deepEqual(formsIn(visible, forms(secret)), [], when);
  };
  await masked("masked by default");
  await replaceValue(page, "stringData.token", replaced);
  await page.keyboard.press("ArrowUp");
  await masked("masked again once the cursor has left");
  await save(page);
  assert.deepEqual(sweep({ server, record }, all), [], "after the second save");
  const remembered = await kept(page);
  for (const secret of all) assert.deepEqual(formsIn(remembered, forms(secret)), [], "kept by the browser");
  assert.ok(record.requests.some(({ body }) => body.includes("ENC[AES256_GCM")), "the saves were seen");
  record.judge(server.origin);
});

/** Runs in the page: every save is sent as it was typed, and without marks, so that the server's guard lets it pass. */
function sendUnsealed(text) {
  const original = window.fetch;
  window.fetch = async (resource, init) => {
    const request = new Request(resource, init);
    if (request.method !== "POST" || !request.url.endsWith("/api/v1/saves")) return original(request);
    const body = await request.json();
    for (const file of body.files) Object.assign(file, { text, marks: [] });
    return original(new Request(request, { body: JSON.stringify(body) }));
  };
}

test("a page that does not seal is found out in every place", async (t) => {
  const secret = plainCanary();
  // no Secret in the sense of Kubernetes, which the server would refuse in clear
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: canary\ndata:\n  token: ${secret}\n`;
  const { server, page, record } = await stage(t, { script: [sendUnsealed, text] });
  await setUp(page, server.link);
  await newStack(page, "canary");
  await addManifest(page, { name: "canary", namespace: "default", text, marks: ["token"] });
  await save(page);

  const found = sweep({ server, record }, [secret]);
  for (const place of ["request POST /api/v1/saves", "objects of clone.git", "objects of remote.git", "memory of the server"]) {
    assert.ok(found.some((line) => line.startsWith(place)), `${place} should have been found in ${found.join("; ")}`);
  }
});

test("a page that does not seal what it says it seals is refused", async (t) => {
  const secret = plainCanary();
  const text = `apiVersion: v1\nkind: Secret\nmetadata:\n  name: canary\nstringData:\n  token: ${secret}\n`;
  const { server, page, record } = await stage(t, { script: [sendUnsealed, text] });
  await setUp(page, server.link);
  await newStack(page, "canary");
  await addManifest(page, { name: "canary", namespace: "default", text, marks: ["token"] });
  await page.getByRole("button", { name: "Seal and save" }).click();
  await page.getByRole("alert").filter({ has: page.locator(".code") }).waitFor();
  const found = sweep({ server, record }, [secret]);
  assert.ok(found.some((line) => line.startsWith("request POST /api/v1/saves")), "it was sent");
  const stored = found.filter((line) => /^(file|objects|output)/.test(line));
  assert.deepEqual(stored, [], "refused before it touched disk, log or queue");
});

test("each form of a secret is recognised", () => {
  for (const secret of [plainCanary(), escapedCanary()]) {
    const wanted = forms(secret);
    const embedded = (text) => formsIn(Buffer.concat([Buffer.from("..."), Buffer.from(text), Buffer.from("...")]), wanted);
    assert.ok(embedded(secret).includes("plain"));
    assert.ok(embedded(Buffer.from(secret, "utf16le")).includes("utf-16 little-endian"));
    assert.ok(embedded(JSON.stringify({ a: secret })).includes("json"));
    assert.ok(embedded(encodeURIComponent(secret)).includes("url"));
    for (const before of ["", "a", "ab", "abc", "password: "]) {
      const encoded = Buffer.from(`${before}${secret}\n`).toString("base64");
      assert.ok(embedded(encoded).some((name) => name.startsWith("base64 at")), `base64 behind ${before}`);
    }
    assert.deepEqual(embedded("something else entirely"), []);
  }
});
