// Trunk's last step: turns what it left in the staging folder into the page that is served.
//
// Bundles the scripts (editor, loader, wasm-bindgen's glue) and the styles with esbuild, names each file by
// its hash, and writes the integrity hashes: index.html names the script, the script names the program.
// The same input gives the same bytes.

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { minify } from "terser";

import { shrink } from "./shrink.mjs";

const web = path.dirname(fileURLToPath(import.meta.url));
const staging = process.env.TRUNK_STAGING_DIR;
const release = process.env.TRUNK_PROFILE !== "debug";
if (!staging) throw new Error("this is a hook of trunk: TRUNK_STAGING_DIR names the folder to finish");

const integrity = (bytes) => `sha384-${createHash("sha384").update(bytes).digest("base64")}`;
const hashed = (name, bytes, extension) =>
  `${name}-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}.${extension}`;

async function only(pattern) {
  const found = (await readdir(staging)).filter((name) => pattern.test(name));
  if (found.length !== 1) throw new Error(`expected one file like ${pattern} from trunk, found ${found.length}`);
  return path.join(staging, found[0]);
}

/** The editor's commands name the grammar machinery, but none of those used here calls it: it can go. */
const grammars = {
  name: "grammars",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@(lezer\/|codemirror\/language$)/ }, async ({ path: name, pluginData, ...rest }) => {
      if (pluginData === grammars) return undefined;
      return { ...(await resolve(name, { ...rest, pluginData: grammars })), sideEffects: false };
    });
  },
};

async function bundle(entry, options) {
  const { outputFiles, warnings } = await build({
    entryPoints: [path.join(web, entry)],
    absWorkingDir: web,
    bundle: true,
    write: false,
    minify: release,
    legalComments: "none",
    logLevel: "warning",
    ...options,
  });
  if (warnings.length > 0) throw new Error(`esbuild warns about ${entry}`);
  return Buffer.from(outputFiles[0].contents);
}

/** The same script, shorter than one pass over its syntax makes it. */
async function shorter(script) {
  if (!release) return script;
  let code = script.toString();
  // the second round finds shorter names
  for (let round = 0; round < 2; round += 1) {
    ({ code } = await minify(code, { module: true, ecma: 2022, compress: { passes: 3 } }));
  }
  return Buffer.from(code);
}

const glue = await only(/^stackseal-web.*(?<!_bg)\.js$/);
const program = await only(/^stackseal-web.*_bg\.wasm$/);
if (release) await writeFile(glue, await shrink(program, await readFile(glue, "utf8")));
const programBytes = await readFile(program);
const programName = hashed("stackseal", programBytes, "wasm");

const script = await shorter(await bundle("editor/main.js", {
  format: "esm",
  target: "es2022",
  plugins: [grammars],
  alias: { "stackseal-program": glue, "stackseal-editor": path.join(web, "editor/index.js") },
  define: {
    PROGRAM_URL: JSON.stringify(`/${programName}`),
    PROGRAM_INTEGRITY: JSON.stringify(integrity(programBytes)),
  },
}));
const theme = await bundle("editor/theme.js", { format: "iife", target: "es2022" });
const style = await bundle("src/style/app.css", {});

await Promise.all((await readdir(staging)).filter((name) => name !== "index.html").map((name) =>
  rm(path.join(staging, name), { recursive: true })));
await mkdir(staging, { recursive: true });

async function put(name, bytes) {
  await writeFile(path.join(staging, name), bytes);
  return { name, integrity: integrity(bytes) };
}
const [programFile, scriptFile, themeFile, styleFile] = await Promise.all([
  put(programName, programBytes),
  put(hashed("stackseal", script, "js"), script),
  put(hashed("theme", theme, "js"), theme),
  put(hashed("stackseal", style, "css"), style),
]);

const head = [
  `<link rel="preload" href="/${programFile.name}" as="fetch" type="application/wasm" crossorigin="anonymous" />`,
  `<link rel="stylesheet" href="/${styleFile.name}" integrity="${styleFile.integrity}" />`,
  `<script src="/${themeFile.name}" integrity="${themeFile.integrity}"></script>`,
  `<script type="module" src="/${scriptFile.name}" integrity="${scriptFile.integrity}"></script>`,
];
const index = path.join(staging, "index.html");
const html = (await readFile(index, "utf8"))
  .replace(/^\s*(<!--[\s\S]*?-->|<link data-trunk [^>]*>)\n/gm, "")
  .replace(/\s*<\/head>/, `\n    ${head.join("\n    ")}\n  </head>`);
if (!html.includes(scriptFile.name)) throw new Error("index.html has no </head>");
await writeFile(index, html);
