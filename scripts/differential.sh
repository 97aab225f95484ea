#!/usr/bin/env bash
# differential.sh COUNT: the differential tests and those of mutations with so many documents a format. SEED in the
# environment repeats a run; each test prints its own.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"
cd "$ROOT"
[ -x "$SOPS" ] || "$ROOT/scripts/tools.sh" test
export STACKSEAL_SOPS=$SOPS STACKSEAL_COUNT=$1 CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
[ -z "${SEED:-}" ] || export STACKSEAL_SEED=$SEED
# one format after the other: each takes all processors
cargo test --locked --release -p stackseal-tests --no-fail-fast --test interop_differential --test interop_mutations \
  -- --nocapture --test-threads 1
