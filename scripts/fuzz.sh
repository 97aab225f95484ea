#!/usr/bin/env bash
# fuzz.sh MINUTES [TARGET [SEED [NUMBER]]]: every target so long, as many at a time as there are processors. Built with
# overflow checks. Ends with failure when anything was found; the logs say what, and how to run it again.
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"
cd "$ROOT" || exit 1
minutes=${1:-10}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true CARGO_PROFILE_RELEASE_LTO=off \
  cargo build --locked --release --quiet --target-dir "$CARGO_TARGET_DIR/fuzz" -p stackseal-tests --example fuzz || exit 1
program=$CARGO_TARGET_DIR/fuzz/release/examples/fuzz
[ $# -gt 1 ] && exec "$program" "$@"

targets=$("$program" --list) && [ -n "$targets" ] || exit 1
seed=${STACKSEAL_SEED:-$RANDOM$RANDOM}
say "seed $seed, $minutes minutes a target; logs in $LOGS"
export program minutes seed LOGS
printf '%s\n' "$targets" | xargs -P "$(nproc)" -I TARGET bash -c \
  '"$program" "$minutes" TARGET "$seed" >"$LOGS/fuzz-TARGET.log" 2>&1 || { echo "TARGET failed (status $?):"; grep -A 1 WRONG "$LOGS/fuzz-TARGET.log" || tail -n 2 "$LOGS/fuzz-TARGET.log"; exit 1; }; tail -n 1 "$LOGS/fuzz-TARGET.log"'
