#!/usr/bin/env bash
# Prints what a browser loads for the page: each file of web/dist, brotli-compressed, in bytes, and the sum in KiB.
# Then what the codec alone weighs as WebAssembly, as the page uses it and with all that the command uses, and how many
# crates it depends on.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"

compressed() { brotli --quality=11 --stdout "$1" | wc -c; }

total=0
for file in $(cd "$PAGE_DIR" && find . -name '*.wasm' -o -name '*.js' -o -name '*.css' -o -name '*.html' | sort); do
  bytes=$(compressed "$PAGE_DIR/$file")
  total=$((total + bytes))
  printf '%9d  %s\n' "$bytes" "${file#./}"
done
printf '%9d  in all: %d KiB\n' "$total" $(((total + 512) / 1024))

# codec LABEL FEATURE...: weighs the codec with these features, shrunk as the page is.
codec() {
  local label=$1 folder=$CACHE/target-page/weight bytes
  shift
  page_env cargo build --locked --quiet --profile page --target $WASM_TARGET -p stackseal-wasm --example weight \
    --no-default-features --features "$*"
  rm -rf "$folder"
  page_env wasm-bindgen --target web --no-typescript --out-dir "$folder" \
    "$CACHE/target-page/$WASM_TARGET/page/examples/weight.wasm"
  page_env node --input-type=module -e "
    import { readFile } from 'node:fs/promises';
    import { shrink } from '$ROOT/web/shrink.mjs';
    await shrink('$folder/weight_bg.wasm', await readFile('$folder/weight.js', 'utf8'));"
  bytes=$(compressed "$folder/weight_bg.wasm")
  printf '%9d  %s: %d KiB\n' "$bytes" "$label" $(((bytes + 512) / 1024))
}

# crates ARGUMENT...: how many crates the codec has in its tree beside itself.
crates() {
  cargo tree --locked -p stackseal-core -e normal --prefix none "$@" | sed 's/ (\*)$//' | sort -u |
    grep -vc '^stackseal-core '
}

cd "$ROOT"
codec "codec, as the page uses it"
codec "codec, with all formats" formats
codec "codec, with all formats and post-quantum keys" formats hybrid
printf '%9d  crates below the codec in the page, %d in a native program, %d in the command\n' \
  "$(crates --target $WASM_TARGET)" "$(crates)" "$(crates --features formats,hybrid,tables)"
