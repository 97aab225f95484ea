#!/usr/bin/env bash
# Builds the server, with the page of web/dist embedded, and the command in release. Cargo skips what is up to date.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"

cd "$ROOT"
STACKSEAL_PAGE_DIR=$PAGE_DIR CARGO_TARGET_DIR=$CACHE/target \
  progress "building the server and the command (minutes when cold)" \
  cargo build --locked --release -p stackseal-server -p stackseal || fail "the server could not be built"
