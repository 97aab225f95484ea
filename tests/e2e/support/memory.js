// Run as root: looks for secrets (JSON on standard input) in the memory of the process that the argument names.

import { readFileSync } from "node:fs";

import { scanMemory } from "./canary.js";

process.stdout.write(JSON.stringify(scanMemory(Number(process.argv[2]), JSON.parse(readFileSync(0, "utf8")))));
