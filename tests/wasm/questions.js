// Every vector as questions to the codec, each with what must come of it. In Node alone: it reads the files.

import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { inflateSync } from "node:zlib";

const VECTORS = path.join(path.dirname(fileURLToPath(import.meta.url)), "../vectors");

/** What the command knows and the codec does not, so it is not asked of it. */
const OF_THE_COMMAND = {
  "077-sel-two-selectors": "options that exclude each other",
  "110-ssh-ed25519": "keys of SSH",
  "111-ssh-rsa": "keys of SSH",
};

/** Where the bytes are others than those of sops; tests/interop/cases.rs says why. */
const OTHER_BYTES = ["004-float-forms", "033-tab-leading-multiline-lost"];

/** The codes that say what sops says with an exit status. */
const CODES = {
  1: ["metadata-invalid", "timestamp-invalid", "tree-path-missing", "yaml-syntax"],
  2: [
    "dotenv-syntax", "duplicate-key", "ini-syntax", "json-syntax", "layout-unsupported", "leaf-not-sealed",
    "yaml-syntax",
  ],
  23: ["non-string-key", "value-out-of-range"],
  25: ["leaf-malformed", "leaf-not-sealed", "leaf-tampered"],
  51: ["mac-mismatch"],
  91: ["tree-path-invalid"],
  92: ["empty-document"],
  128: ["no-matching-identity"],
  203: ["already-sealed"],
};

const read = (...parts) => readFileSync(path.join(VECTORS, ...parts));
const json = (...parts) => JSON.parse(read(...parts));
const base64 = (bytes) => Buffer.from(bytes).toString("base64");

/**
 * @typedef {{name: string, question: any, expected: any, sealedBy?: any}} Asked
 * @returns {Asked[]}
 */
export function questions() {
  return [...recorded(), ...age(), ...wycheproof(), ...sealedValues()];
}

/** The cases recorded from sops. */
function recorded() {
  const names = readdirSync(path.join(VECTORS, "sops/cases")).sort();
  if (names.length < 155) throw new Error(`only ${names.length} cases`);
  for (const name of Object.keys(OF_THE_COMMAND)) {
    if (!names.includes(name)) throw new Error(`${name} is gone`);
  }
  return names.filter((name) => !(name in OF_THE_COMMAND)).flatMap(recordedCase);
}

function recordedCase(name) {
  const file = (file) => read("sops/cases", name, file);
  const recorded = JSON.parse(file("case.json"));
  const { format, args, encrypt_args: rule } = recorded;
  const keys = { identities: recorded.identities.map(identity) };
  const sealing = {
    act: "encrypt", format, text: base64(file(recorded.input)), arguments: rule, ...keys,
    ...(recorded.config ? { config: base64(config(file(recorded.config).toString())) }
      : { recipients: recorded.recipients.map(recipient) }),
  };
  const refusal = { codes: recorded.reference_panics ? null : CODES[recorded.exit_code] };
  if (recorded.phase === "encrypt") {
    return [{ name: `${name}: refused`, question: { ...sealing, seed: 1 }, expected: refusal }];
  }

  const views = Object.entries(recorded.as ?? {});
  const opening = {
    act: "decrypt", format, text: base64(file(recorded.encrypted)), ...keys,
    ignore_mac: args.includes("--ignore-mac"),
    ...(args.includes("--extract") && { extract: args[args.indexOf("--extract") + 1] }),
    as: views.map(([word]) => word),
  };
  const opened = recorded.exit_code !== 0 ? refusal : {
    text: base64(file(recorded.decrypted)),
    otherText: OTHER_BYTES.includes(name),
    views: Object.fromEntries(views.map(([word, view]) => [word, view.file ? base64(file(view.file)) : null])),
  };
  const asked = [{ name: `${name}: opened`, question: opening, expected: opened }];

  const fresh = !recorded.tampered && !recorded.ops && recorded.expect === "ok" && !args.includes("--extract");
  if (!fresh) return asked;
  const sealsNothing = format !== "binary" && file(recorded.encrypted).toString().split("ENC[AES256_GCM").length <= 2;
  if (sealsNothing) {
    const stated = /regex|encrypted-suffix/.test(rule.join(" "));
    const expected = { codes: ["invalid-selector", "selector-matches-nothing"] };
    if (!stated) return asked;
    return [...asked, { name: `${name}: a rule that seals nothing`, question: { ...sealing, seed: 1 }, expected }];
  }
  const lossless = { opened: base64(file(recorded.input)) };
  const reading = { sops: { format, text: base64(file(recorded.decrypted)), keys: keys.identities } };
  return [
    ...asked,
    { name: `${name}: sealed with a seed`, question: { ...sealing, seed: 1 }, expected: lossless },
    { name: `${name}: sealed`, question: sealing, expected: { ...lossless, ...reading } },
  ];
}

function identity(name) {
  return read("sops/keys", `${name}.txt`).toString().match(/^AGE-SECRET-KEY-.*$/m)[0];
}

function recipient(name) {
  return read("sops/keys", `${name}.pub`).toString().trim();
}

/** The key groups of a configuration, each in a line of its own. */
function config(text) {
  const groups = [...text.matchAll(/^ {2}- age: \['(age1\w+)'\]$/gm)].map(([, recipient]) => [recipient]);
  const threshold = Number(text.match(/^- shamir_threshold: (\d)$/m)[1]);
  if (groups.length !== 3) throw new Error(`a configuration of another form:\n${text}`);
  return JSON.stringify({ groups, threshold });
}

/** The files of C2SP's CCTV. Those for passphrases must not open. */
function age() {
  return readdirSync(path.join(VECTORS, "age/cctv")).sort().map((name) => {
    const bytes = read("age/cctv", name);
    const end = bytes.indexOf("\n\n");
    const fields = {};
    for (const line of bytes.subarray(0, end).toString().split("\n")) {
      const [key, value] = line.split(/: (.*)/s);
      (fields[key] ??= []).push(value);
    }
    const file = bytes.subarray(end + 2);
    const packed = fields.compressed?.[0] === "zlib";
    const question = {
      act: "age", file: base64(packed ? inflateSync(file) : file), armored: fields.armored?.[0] === "yes",
      identities: fields.identity ?? [],
    };
    const [outcome] = fields.expect;
    const expected = fields.passphrase ? { outcomes: ["no match", "header failure"] }
      : { outcomes: [outcome], ...(outcome === "success" && { payload: fields.payload[0] }) };
    return { name: `age ${name}`, question, expected };
  });
}

function wycheproof() {
  const files = [
    ["aes_gcm", "aes-256-gcm", ({ keySize, ivSize }) => keySize === 256 && ivSize > 0, "msg"],
    ["chacha20_poly1305", "chacha20-poly1305", () => true, "msg"],
    ["hkdf_sha256", "hkdf-sha256", () => true, "okm"],
    ["hmac_sha256", "hmac-sha256", () => true, "tag"],
    ["x25519", "x25519", () => true, "shared"],
  ];
  return files.flatMap(([file, primitive, applies, made]) =>
    json("wycheproof", `${file}_test.json`).testGroups.filter(applies).flatMap(({ tests }) => tests.map((test) => {
      const { tcId, comment, flags, result, [made]: bytes, ...given } = test;
      const name = `Wycheproof ${file} ${tcId}`;
      if (primitive === "hmac-sha256") {
        const expected = { begins: bytes, holds: result === "valid" };
        return { name, question: { act: "primitive", primitive, ...given }, expected };
      }
      // a point of low order makes a secret of zeros, which is none
      const none = result === "invalid" || (primitive === "x25519" && /^0+$/.test(bytes));
      const expected = { made: none ? null : bytes };
      return { name, question: { act: "primitive", primitive, ...given }, expected };
    })));
}

function sealedValues() {
  const { sops, openssl } = json("aes-gcm-256-nonce/vectors.json");
  return [...sops, ...openssl].map(({ key, aad, text, plaintext }, index) => ({
    name: `sealed value ${index}`,
    question: { act: "primitive", primitive: "sealed-value", key, aad, text },
    expected: { made: plaintext },
  }));
}
