#!/usr/bin/env bash
# Builds the server in release with the page of web/dist embedded. Cargo skips what is up to date.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"

cd "$ROOT"
STACKSEAL_PAGE_DIR=$PAGE_DIR CARGO_TARGET_DIR=$CACHE/target \
  progress "building the server (minutes when cold)" \
  cargo build --locked --release -p stackseal-server || fail "the server could not be built"
