#!/usr/bin/env bash
# Measures the command as people install it beside the real sops; see bench.py. Arguments go there.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"
cd "$ROOT"
[ -x "$SOPS" ] || "$ROOT/scripts/tools.sh" test
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
cargo build --locked --profile ship --quiet -p stackseal --bin stackseal
exec python3 scripts/bench.py --bin "$CARGO_TARGET_DIR/ship/stackseal" --sops "$SOPS" "$@"
