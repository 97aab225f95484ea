// The codec as WebAssembly, in Node and in Chromium: every vector has what it names, and each answer is the same to the
// byte as that of the native build. What it seals with the host's random numbers, the real sops reads.
//
// STACKSEAL_WASM is the folder with the program and wasm-bindgen's module for it, STACKSEAL_ANSWERS the native build.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";

import { launch } from "../e2e/support/chromium.js";
import { ask, digest, isRandom } from "./judge.js";
import { questions } from "./questions.js";

const { STACKSEAL_WASM: folder, STACKSEAL_ANSWERS: native, STACKSEAL_SOPS: sops } = process.env;
if (!folder || !native || !sops) throw new Error("scripts/wasm.sh builds what is tested, and names it");

const all = questions();
const built = (name) => path.join(folder, name);
const hosts = { Node: inNode, Chromium: inChromium };

/** Answers of the native build, each as its digest. */
const answers = Promise.all(execFileSync(native, {
  input: all.map(({ question }) => `${JSON.stringify(question)}\n`).join(""),
  maxBuffer: 2 ** 30,
}).toString().trimEnd().split("\n").map((answer) => digest(new TextEncoder().encode(answer))));

for (const [host, inHost] of Object.entries(hosts)) {
  test(`every vector has what it names in ${host}, and the answers are those of the native build`, async (t) => {
    const { digests, sealed, wrong } = await inHost(t, all);
    assert.deepEqual(wrong, []);
    assert.ok(digests.length >= 1751, `only ${digests.length} questions`);
    assert.deepEqual(differing(digests, await answers), []);
    assert.ok(sealed.length >= 98, `only ${sealed.length} were sealed`);
    assert.equal(new Set(sealed).size, sealed.length, "no two seals are the same");
    assert.deepEqual(unreadable(sealed), []);
  });

  test(`a wrong expectation is found in ${host}, one of each form`, async (t) => {
    const asked = misled();
    const { wrong } = await inHost(t, asked);
    assert.deepEqual(wrong.map((fault) => fault.split(":")[0]), asked.map(({ name }) => name));
  });
}

test("another answer than that of the native build is found", async () => {
  const others = [...await answers];
  const last = others.length - 1;
  others[last] = others[last].replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
  assert.deepEqual(differing(others, await answers), [all[last].name]);
});

test("what sops cannot read is found", () => {
  const [one] = all.filter(({ question }) => isRandom(question));
  assert.deepEqual(unreadable([one.question.text]).map((fault) => fault.split(": ")[0]), [one.name.split(": ")[0]]);
});

async function inNode(_, asked) {
  return ask(readFileSync(built("codec_bg.wasm")), await import(pathToFileURL(built("codec.js"))), asked);
}

async function inChromium(t, asked) {
  const files = {
    "/": ["text/html", "<!doctype html><title>Vectors</title>"],
    "/asked.json": ["application/json", JSON.stringify(asked)],
    "/codec.js": ["text/javascript", readFileSync(built("codec.js"))],
    "/codec_bg.wasm": ["application/wasm", readFileSync(built("codec_bg.wasm"))],
    "/judge.js": ["text/javascript", readFileSync(new URL("judge.js", import.meta.url))],
  };
  const server = createServer(({ url }, response) => {
    const [type, body] = files[url] ?? ["text/plain", ""];
    response.writeHead(url in files ? 200 : 404, { "content-type": type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await launch();
  t.after(async () => {
    await browser.close();
    server.close();
  });
  const [page] = browser.context.pages();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  return page.evaluate(async () => {
    const [{ ask }, glue, program, asked] = await Promise.all([
      import("/judge.js"),
      import("/codec.js"),
      fetch("/codec_bg.wasm").then((response) => response.arrayBuffer()),
      fetch("/asked.json").then((response) => response.json()),
    ]);
    return ask(program, glue, asked);
  });
}

/** The questions with other answers, but for those with random numbers in them. */
function differing(ours, theirs) {
  return all.filter(({ question }, at) => !isRandom(question) && ours[at] !== theirs[at]).map(({ name }) => name);
}

/** What of the sealed texts the real sops does not open to what it opened its own to. */
function unreadable(sealed) {
  const home = mkdtempSync(path.join(tmpdir(), "stackseal-wasm-"));
  const file = path.join(home, "sealed");
  const read = (base64, { expected: { sops: { format, text, keys } } }) => {
    writeFileSync(file, Buffer.from(base64, "base64"));
    const types = ["--input-type", format, "--output-type", format];
    const opened = execFileSync(sops, ["decrypt", ...types, file], {
      env: { HOME: home, SOPS_AGE_KEY: keys.join("\n"), SOPS_DISABLE_VERSION_CHECK: "1" },
      stdio: "pipe",
    });
    return opened.toString("base64") === text ? "" : `it opens to ${opened}`;
  };
  const asked = all.filter(({ question }) => isRandom(question));
  try {
    return sealed.flatMap((base64, at) => {
      const { name } = asked[at];
      try {
        const fault = read(base64, asked[at]);
        return fault ? [`${name}: ${fault}`] : [];
      } catch (error) {
        return [`${name}: ${error.stderr ?? error}`];
      }
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Wrong expectations, one of each form. */
function misled() {
  const cut = (base64) => `${base64.slice(0, -4)}AAAA`;
  return [
    ["codes", () => ({ codes: ["random-failed"] })],
    ["outcomes", () => ({ outcomes: ["payload failure"] })],
    ["payload", (expected) => ({ ...expected, payload: "0".repeat(64) })],
    ["made", ({ made }) => ({ made: `${made}00` })],
    ["begins", (expected) => ({ ...expected, holds: !expected.holds })],
    ["opened", ({ opened }) => ({ opened: cut(opened) })],
    ["text", (expected) => ({ ...expected, text: cut(expected.text), otherText: false })],
    ["views", (expected) => ({ ...expected, views: { ...expected.views, json: btoa("[]") } })],
  ].map(([form, mislead]) => {
    const { question, expected } = all.find(({ expected }) => expected[form]);
    return { name: form, question, expected: mislead(expected) };
  });
}
