#!/usr/bin/env bash
# Builds the codec as a WebAssembly module, with everything that the command uses and as the page is built, and the same
# for this machine; then runs every vector through both, in Node and in Chromium.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"
cd "$ROOT"
target=${CARGO_TARGET_DIR:-$CACHE/target}
export STACKSEAL_WASM=$CACHE/target-page/wasm-tests STACKSEAL_ANSWERS=$target/debug/answers STACKSEAL_SOPS=$SOPS
CARGO_TARGET_DIR=$target cargo build --locked --quiet -p stackseal-wasm --bin answers
progress "building the codec for WebAssembly (a minute when cold)" \
  page_env cargo build --locked --profile page --target $WASM_TARGET -p stackseal-wasm --lib
page_env wasm-bindgen --target web --no-typescript --out-dir "$STACKSEAL_WASM" --out-name codec \
  "$CACHE/target-page/$WASM_TARGET/page/stackseal_wasm.wasm"
exec node --test --test-reporter=tap tests/wasm/*.test.js
