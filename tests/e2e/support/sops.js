// Opens committed files with stock sops, without the organisation's identity, which never leaves the vault.
//
// The data key of a file is asked for as the page asks for it, wrapped to a one-time recipient. Real age wraps it
// anew, and only this wrapped copy is exchanged in the file's `sops` block: every value, the MAC and the rest stay as
// they were committed, and are judged by sops.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { git } from "./git.js";

const sops = process.env.STACKSEAL_SOPS;

/**
 * @param {import("./server.js").Server} server
 * @param {import("playwright-core").BrowserContext} context signed in
 * @param {string} file path in the repository
 * @returns {Promise<any>} the data
 */
export async function decrypt(server, context, file) {
  if (!sops) throw new Error("STACKSEAL_SOPS names no program; `make e2e` installs it and sets this");
  const folder = mkdtempSync(path.join(tmpdir(), "stackseal-sops-"));
  const at = (name) => path.join(folder, name);
  try {
    execFileSync("age-keygen", ["-o", at("key.txt")], { stdio: "pipe" });
    const recipient = execFileSync("age-keygen", ["-y", at("key.txt")], { encoding: "utf8" }).trim();
    const commit = git(server.remote, "rev-parse", "main").trim();
    const blob = git(server.remote, "rev-parse", `main:${file}`).trim();
    const answer = await context.request.post(`${server.origin}/api/v1/unwraps`, {
      headers: { "x-stackseal": "1", origin: server.origin, "sec-fetch-site": "same-origin" },
      data: { path: file, commit, blob, purpose: "reveal", recipient },
    });
    if (!answer.ok()) throw new Error(`no data key: ${await answer.text()}`);
    const { wrapped_data_key: wrapped } = await answer.json();
    writeFileSync(at("wrapped"), wrapped);
    const dataKey = execFileSync("age", ["--decrypt", "-i", at("key.txt"), at("wrapped")]);
    const mine = execFileSync("age", ["--encrypt", "--armor", "-r", recipient], { input: dataKey, encoding: "utf8" });
    const sealed = git(server.remote, "show", `main:${file}`);
    writeFileSync(at("copy.yaml"), exchange(sealed, recipient, mine));
    const json = execFileSync(sops, ["decrypt", "--output-type", "json", at("copy.yaml")], {
      env: { PATH: process.env.PATH, HOME: folder, SOPS_AGE_KEY: readFileSync(at("key.txt"), "utf8") },
      encoding: "utf8",
    });
    return JSON.parse(json);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function exchange(sealed, recipient, wrapped) {
  const entry = /^( *)- recipient: age1[0-9a-z]+\n +enc: \|\n(?:\1 {4}[^\n]+\n)+/m;
  const found = entry.exec(sealed);
  if (!found) throw new Error("the committed file has no wrapped data key where one was expected");
  const [whole, indent] = found;
  const pad = `${indent}    `;
  const text = wrapped.trimEnd().split("\n").map((line) => `${pad}${line}\n`).join("");
  return sealed.replace(whole, `${indent}- recipient: ${recipient}\n${indent}  enc: |\n${text}`);
}
