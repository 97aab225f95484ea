// age files between us and typage, age in JavaScript by age's own author: native and post-quantum keys, both ways, with
// the codec as WebAssembly and as this machine's own build.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";

const { STACKSEAL_WASM: folder, STACKSEAL_ANSWERS: native } = process.env;
if (!folder || !native) throw new Error("scripts/wasm.sh builds what is tested, and names it");

const resolved = createRequire(new URL("../e2e/package.json", import.meta.url)).resolve("age-encryption");
const typage = await import(pathToFileURL(resolved));
const glue = await import(pathToFileURL(path.join(folder, "codec.js")));
glue.initSync({ module: readFileSync(path.join(folder, "codec_bg.wasm")) });

const codecs = {
  WebAssembly: (question) => JSON.parse(glue.answer(JSON.stringify(question))),
  native: (question) =>
    JSON.parse(execFileSync(native, { input: `${JSON.stringify(question)}\n`, maxBuffer: 2 ** 26 })),
};
const kinds = { X25519: typage.generateX25519Identity, "post-quantum": typage.generateHybridIdentity };
const sizes = [0, 1, 32, 65_536, 65_537];
const base64 = (bytes) => Buffer.from(bytes).toString("base64");

async function opened(file, identity) {
  const decrypter = new typage.Decrypter();
  decrypter.addIdentity(identity);
  return base64(await decrypter.decrypt(file));
}

for (const [codec, ask] of Object.entries(codecs)) {
  for (const [kind, generate] of Object.entries(kinds)) {
    test(`what one side seals to a ${kind} key the other opens, with the codec as ${codec}`, async () => {
      const identity = await generate();
      const recipient = await typage.identityToRecipient(identity);
      for (const size of sizes) {
        const payload = Buffer.alloc(size, size % 251);
        const { file: ours } = ask({ act: "age-encrypt", payload: base64(payload), recipients: [recipient] });
        assert.equal(await opened(Buffer.from(ours, "base64"), identity), base64(payload));
        const encrypter = new typage.Encrypter();
        encrypter.addRecipient(recipient);
        const theirs = base64(await encrypter.encrypt(payload));
        assert.equal(ask({ act: "age", file: theirs, identities: [identity] }).payload, base64(payload));
      }
    });
  }

  test(`a post-quantum key made here has the recipient that typage gives it, with the codec as ${codec}`, async () => {
    const { identity, recipient } = ask({ act: "age-keygen" });
    assert.equal(await typage.identityToRecipient(identity), recipient);
  });

  test(`a file for another post-quantum key stays closed, with the codec as ${codec}`, async () => {
    const [one, other] = [ask({ act: "age-keygen" }), ask({ act: "age-keygen" })];
    const { file } = ask({ act: "age-encrypt", payload: "", recipients: [one.recipient] });
    assert.equal(await opened(Buffer.from(file, "base64"), one.identity), "");
    await assert.rejects(opened(Buffer.from(file, "base64"), other.identity));
    assert.equal(ask({ act: "age", file, identities: [other.identity] }).error.code, "no-matching-identity");
  });
}
