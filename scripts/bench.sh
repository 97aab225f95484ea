#!/usr/bin/env bash
# Measures the release build of the command beside the real sops; see bench.py. Arguments go there.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"
cd "$ROOT"
[ -x "$SOPS" ] || "$ROOT/scripts/tools.sh" test
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
cargo build --locked --release --quiet -p stackseal --bin stackseal
exec python3 scripts/bench.py --bin "$CARGO_TARGET_DIR/release/stackseal" --sops "$SOPS" "$@"
