#!/usr/bin/env bash
# corpus.sh DIR...: seals and opens every YAML file below the folders, and has the real sops open what was sealed.
# Tells how many came back to the byte, and what was refused, by reason. Any folder of real files will do.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"
[ $# -gt 0 ] || fail "name folders with YAML files: scripts/corpus.sh DIR..."
[ -x "$SOPS" ] || "$ROOT/scripts/tools.sh" test
folders=()
for folder in "$@"; do folders+=("$(cd "$folder" && pwd)"); done
cd "$ROOT"
export STACKSEAL_SOPS=$SOPS CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
cargo build --locked --release --quiet -p stackseal-tests --example corpus
exec "$CARGO_TARGET_DIR/release/examples/corpus" "${folders[@]}"
