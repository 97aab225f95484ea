// Makes the program smaller than the compiler and wasm-bindgen leave it: exports that nothing calls go, with all
// that only they reach, and the names between program and glue become short.
//
// Some crates export classes for JavaScript (streams, for one), which keeps their code alive in every program.

import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const FEATURES = ["bulk-memory", "nontrapping-float-to-int", "sign-ext", "mutable-globals", "reference-types", "multivalue"]
  .map((feature) => `--enable-${feature}`);
const [IMPORTS, EXPORTS] = [2, 7];

/**
 * @param {string} program path of the program, which is written anew
 * @param {string} glue text of wasm-bindgen's module
 * @returns {Promise<string>} the glue that fits it
 */
export async function shrink(program, glue) {
  const classes = [...glue.matchAll(/^export class (\w+) \{$/gm)].map(([, name]) => name);
  let text = glue.replace(/^export class \w+ \{\n[\s\S]*?^\}\n/gm, "")
    .replace(/^if \(Symbol\.dispose\) .*\n/gm, "")
    .replace(/^const \w+Finalization = [\s\S]*?;\n/gm, "");

  const called = names(await readFile(program), EXPORTS).filter((name) => new RegExp(`\\bwasm\\.${name}\\b`).test(text));
  const graph = [
    { name: "glue", root: true, reaches: called },
    ...called.map((name) => ({ name, export: name })),
  ];
  await writeFile(`${program}.graph`, JSON.stringify(graph));
  await run("wasm-metadce", [...FEATURES, `--graph-file=${program}.graph`, program, "-o", program]);
  await run("wasm-opt", [...FEATURES, "--flatten", "--rereloop", "-Oz", "-Oz", "--strip-producers", "--strip-target-features", program, "-o", program]);

  const bytes = await readFile(program);
  const imported = new Set(names(bytes, IMPORTS));
  text = text.replace(/^ {8}(__wb\w+): (function[\s\S]*?^ {8}\}(?:, arguments\); \})?|[^\n]*),\n/gm, (member, name) =>
    imported.has(name) ? member : "");
  for (const name of [...imported, ...called]) {
    if (!new RegExp(`\\b${name}\\b`).test(text)) throw new Error(`wasm-bindgen's glue has no ${name}`);
  }
  for (const name of classes) {
    if (new RegExp(`\\b${name}\\b`).test(text)) throw new Error(`the program still uses ${name}`);
  }

  const long = [...imported, ...called].filter((name) => /^(__|wasm_bindgen__)/.test(name));
  const short = new Map(long.map((name, index) => [name, `$${index.toString(36)}`]));
  await writeFile(program, renamed(bytes, short));
  return text.replace(/\b(__|wasm_bindgen__)\w+\b/g, (name) => short.get(name) ?? name);
}

/** Reads a number as WebAssembly packs it; gives it and where it ends. */
function number(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value |= (byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
}

function packed(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}

function* sections(bytes) {
  for (let at = 8; at < bytes.length;) {
    const [length, start] = number(bytes, at + 1);
    yield { id: bytes[at], start, end: start + length };
    at = start + length;
  }
}

/** Where the names of the imports or exports stand. */
function* places(bytes, { id, start }) {
  let [count, at] = number(bytes, start);
  while (count-- > 0) {
    let length;
    if (id === IMPORTS) {
      [length, at] = number(bytes, at);
      at += length;
    }
    const from = at;
    [length, at] = number(bytes, at);
    yield { from, to: at + length, name: bytes.toString("utf8", at, at + length) };
    at += length;
    const kind = bytes[at++];
    if (id === IMPORTS && kind !== 0) throw new Error("the program imports something else than functions");
    [, at] = number(bytes, at);
  }
}

function names(bytes, id) {
  const found = [...sections(bytes)].filter((section) => section.id === id);
  return found.flatMap((section) => [...places(bytes, section)].map(({ name }) => name));
}

function renamed(bytes, short) {
  const parts = [bytes.subarray(0, 8)];
  for (const section of sections(bytes)) {
    const body = [];
    let at = section.start;
    if (section.id === IMPORTS || section.id === EXPORTS) {
      for (const { from, to, name } of places(bytes, section)) {
        const replacement = Buffer.from(short.get(name) ?? name);
        body.push(bytes.subarray(at, from), Buffer.from(packed(replacement.length)), replacement);
        at = to;
      }
    }
    body.push(bytes.subarray(at, section.end));
    const whole = Buffer.concat(body);
    parts.push(Buffer.from([section.id, ...packed(whole.length)]), whole);
  }
  return Buffer.concat(parts);
}
