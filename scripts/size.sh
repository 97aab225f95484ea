#!/usr/bin/env bash
# Prints what a browser loads for the page: each file of web/dist, brotli-compressed, in bytes, and the sum in KiB.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"
cd "$PAGE_DIR"
total=0
for file in $(find . -name '*.wasm' -o -name '*.js' -o -name '*.css' -o -name '*.html' | sort); do
  bytes=$(brotli --quality=11 --stdout "$file" | wc -c)
  total=$((total + bytes))
  printf '%9d  %s\n' "$bytes" "${file#./}"
done
printf '%9d  in all: %d KiB\n' "$total" $(((total + 512) / 1024))
