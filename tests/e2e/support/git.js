// Looks into the remote repository as anyone with a clone would.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export function git(folder, ...words) {
  return execFileSync("git", ["-C", folder, ...words], { encoding: "utf8", maxBuffer: 64 << 20, stdio: ["ignore", "pipe", "ignore"] });
}

/** The text of a file at the branch's head. */
export const committed = (server, file) => git(server.remote, "show", `main:${file}`);

/** All paths at the branch's head. */
export const files = (server) => git(server.remote, "ls-tree", "-r", "--name-only", "main").trim().split("\n");

/** `git diff` between two texts called `typed` and `committed` or otherwise, with arguments such as `--stat`. */
export function diff(before, after, [old, now] = ["typed", "committed"], ...words) {
  const folder = mkdtempSync(path.join(tmpdir(), "stackseal-diff-"));
  try {
    writeFileSync(path.join(folder, `${old}.yaml`), before);
    writeFileSync(path.join(folder, `${now}.yaml`), after);
    try {
      return git(folder, "diff", "--no-index", "--no-color", ...words, `${old}.yaml`, `${now}.yaml`);
    } catch (error) {
      if (error.status === 1) return error.stdout; // there are differences
      throw error;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lines that a difference takes away and adds, without its head. */
export function changedLines(before, after) {
  const lines = diff(before, after, undefined, "--unified=0").split("\n").slice(4);
  return {
    removed: lines.filter((line) => line.startsWith("-")).map((line) => line.slice(1)),
    added: lines.filter((line) => line.startsWith("+")).map((line) => line.slice(1)),
  };
}
