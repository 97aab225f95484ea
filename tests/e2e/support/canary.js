// Looks for a secret in every place where it must not be, in every form that it may have taken.

import { randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** A random secret. The second kind has characters that each way of escaping writes differently. */
export const plainCanary = () => `canary${randomBytes(12).toString("hex")}`;
export const escapedCanary = () => `canary/"${randomBytes(9).toString("hex")}"+é\\<&> ${randomBytes(6).toString("hex")}`;

/** @param {string} secret @returns {Map<string, Buffer>} its forms */
export function forms(secret) {
  const utf8 = Buffer.from(secret);
  const found = new Map([
    ["plain", utf8],
    ["utf-16 little-endian", Buffer.from(secret, "utf16le")],
    ["utf-16 big-endian", Buffer.from(secret, "utf16le").swap16()],
    ["hex", Buffer.from(utf8.toString("hex"))],
    ["HEX", Buffer.from(utf8.toString("hex").toUpperCase())],
    ["url", Buffer.from(encodeURIComponent(secret))],
    ["form", Buffer.from(new URLSearchParams([["", secret]]).toString().slice(1))],
    ["json", Buffer.from(JSON.stringify(secret).slice(1, -1))],
    ["json twice", Buffer.from(JSON.stringify(JSON.stringify(secret)).slice(1, -1).replace(/^\\"|\\"$/g, ""))],
    ["html", Buffer.from(secret.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;"))],
    ["yaml single-quoted", Buffer.from(secret.replace(/'/g, "''"))],
  ]);
  for (const offset of [0, 1, 2]) {
    // only the characters that depend on the secret alone, wherever it stands in what was encoded
    const text = Buffer.concat([Buffer.alloc(offset), utf8]).toString("base64").replace(/=+$/, "");
    const core = text.slice(Math.ceil((offset * 8) / 6), text.length - 1);
    found.set(`base64 at ${offset}`, Buffer.from(core));
    found.set(`base64url at ${offset}`, Buffer.from(core.replaceAll("+", "-").replaceAll("/", "_")));
  }
  return found;
}

/** @param {Buffer | string} where @param {Map<string, Buffer>} wanted @returns {string[]} names of the forms in it */
export function formsIn(where, wanted) {
  const bytes = Buffer.isBuffer(where) ? where : Buffer.from(where);
  return [...wanted].filter(([, form]) => bytes.includes(form)).map(([name]) => name);
}

function* filesBelow(folder) {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    const stat = statSync(file);
    if (stat.isDirectory()) yield* filesBelow(file);
    else if (stat.isFile()) yield file;
  }
}

/** All objects of a repository, unpacked. */
const objects = (repository) =>
  execFileSync("git", ["-C", repository, "cat-file", "--batch-all-objects", "--batch", "--unordered"], { maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "ignore"] });

/** Finds forms in the memory of a process. Its memory is readable by root alone. */
export function memoryFindings(pid, secrets) {
  if (process.getuid() === 0) return scanMemory(pid, secrets);
  const program = fileURLToPath(new URL("./memory.js", import.meta.url));
  const answer = execFileSync("sudo", ["-n", process.execPath, program, String(pid)], {
    input: JSON.stringify(secrets),
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  return JSON.parse(answer);
}

export function scanMemory(pid, secrets) {
  const wanted = secrets.map(forms);
  const longest = Math.max(...wanted.flatMap((map) => [...map.values()].map((form) => form.length)));
  const found = new Set();
  let scanned = 0;
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const chunk = Buffer.alloc(4 << 20);
  for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line);
    if (!range || /\[(vvar|vsyscall|vdso)/.test(line)) continue;
    const [from, to] = [BigInt(`0x${range[1]}`), BigInt(`0x${range[2]}`)];
    // chunks overlap, so that nothing is missed at their borders
    for (let at = from; at < to; at += BigInt(chunk.length - longest)) {
      const size = Number(to - at < BigInt(chunk.length) ? to - at : BigInt(chunk.length));
      let read;
      try {
        read = readSync(memory, chunk, 0, size, at);
      } catch {
        break; // a part that was never touched cannot be read
      }
      scanned += read;
      for (const map of wanted) for (const name of formsIn(chunk.subarray(0, read), map)) found.add(name);
    }
  }
  closeSync(memory);
  if (scanned < 1 << 20) throw new Error(`only ${scanned} bytes of memory could be read`);
  return [...found];
}

/**
 * Everywhere outside the tab.
 * @param {{server: import("./server.js").Server, record: import("./stage.js").Record}} stage
 * @param {string[]} secrets
 * @returns {string[]} what was found where
 */
export function sweep({ server, record }, secrets) {
  const found = [];
  const look = (place, bytes) => {
    for (const secret of secrets) for (const form of formsIn(bytes, forms(secret))) found.push(`${place}: ${form}`);
  };
  for (const { method, url, headers, body } of record.requests) {
    look(`request ${method} ${new URL(url).pathname}`, Buffer.concat([Buffer.from(`${url}\n${headers}\n`), body]));
  }
  look("console", record.messages.join("\n"));
  look("output of the server", server.output);
  for (const file of filesBelow(server.data)) look(`file ${path.relative(server.data, file)}`, readFileSync(file));
  for (const repository of ["clone.git", "remote.git"]) look(`objects of ${repository}`, objects(path.join(server.data, repository)));
  for (const form of memoryFindings(server.pid, secrets)) found.push(`memory of the server: ${form}`);
  return [...new Set(found)].sort();
}

/** What the tab keeps beside the document: storage, address, title, history. */
export async function kept(page) {
  return page.evaluate(async () => {
    const databases = (await indexedDB.databases()).map(({ name }) => name);
    const caches = await window.caches.keys();
    const storage = [localStorage, sessionStorage].map((store) => JSON.stringify({ ...store }));
    return JSON.stringify([databases, caches, storage, document.title, location.href, history.state, document.cookie]);
  });
}

/** What the document shows or hides: every text, attribute and form value, shadow roots and accessible names. */
export async function shown(page) {
  const own = await page.evaluate(() => {
    const parts = [];
    const walk = (node) => {
      if (node.nodeType === Node.TEXT_NODE) parts.push(node.data);
      for (const attribute of node.attributes ?? []) parts.push(attribute.value);
      if (typeof node.value === "string") parts.push(node.value);
      if (node.shadowRoot) walk(node.shadowRoot);
      node.childNodes.forEach(walk);
    };
    walk(document);
    return parts.join("\n");
  });
  return `${own}\n${await page.locator("body").ariaSnapshot()}`;
}
