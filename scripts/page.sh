#!/usr/bin/env bash
# Builds the page with trunk into web/dist, unless nothing that it is made of has changed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"

inputs=(.cargo core model web index.html Trunk.toml Cargo.toml Cargo.lock scripts/page.sh scripts/npm)
stamp=$(content_hash "${inputs[@]}")-$(cat "$STAMPS/wasm-std")
# beside the tools, not in web/dist, whose every file is served
note=$STAMPS/page-$(printf %s "$ROOT" | sha256sum | cut -c1-16)
[ "$(cat "$note" 2>/dev/null)" = "$stamp" ] && [ -s "$PAGE_DIR/index.html" ] && exit 0

cd "$ROOT"
rm -f "$note"
progress "building the page (minutes when cold, half a minute after a change)" \
  page_env trunk build --release --offline true --locked true ||
  fail "the page could not be built"
[ -s "$PAGE_DIR/index.html" ] || fail "trunk left no $PAGE_DIR/index.html"
echo "$stamp" >"$note"
