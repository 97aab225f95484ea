#!/usr/bin/env bash
# Runs the tiers named (default: all), then prints `N passed, N failed`: the tests counted by cargo and by node's
# runner, plus one failure for each tier that failed without a failed test. A tier that ran no test, or skipped one,
# has failed. Everything runs even when an earlier tier failed.
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"
cd "$ROOT" || exit 1

all=(format lint layering unit web interop api crash cli no-std page wasm e2e)
tiers=("$@")
[ ${#tiers[@]} -gt 0 ] || tiers=("${all[@]}")

export CARGO_TARGET_DIR=$CACHE/target CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
export STACKSEAL_PAGE_DIR=$PAGE_DIR
export STACKSEAL_SOPS=$SOPS

passed=0 failed=0 summary=()

# tally TIER LOG STATUS KIND: adds a tier's counts, read from the runner's own output.
tally() {
  local tier=$1 log=$2 status=$3 kind=$4 ok=0 bad=0 skipped=0
  case $kind in
    cargo)
      read -r ok bad skipped < <(awk '/^test result: / { ok += $4; bad += $6; skip += $8 } END { print ok+0, bad+0, skip+0 }' "$log") ;;
    node)
      ok=$(awk '/^# pass / { n += $3 } END { print n+0 }' "$log")
      bad=$(awk '/^# fail / { n += $3 } END { print n+0 }' "$log")
      skipped=$(awk '/^# (skipped|todo|cancelled) / { n += $3 } END { print n+0 }' "$log") ;;
    check) [ "$status" -eq 0 ] && summary+=("$tier: ok") && return ;;
  esac
  if [ "$skipped" -gt 0 ]; then say "$tier: $skipped tests were skipped, which counts as failed"; bad=$((bad + skipped)); fi
  if [ "$kind" != check ] && [ $((ok + bad)) -eq 0 ]; then say "$tier: no test ran"; bad=1; fi
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  passed=$((passed + ok)) failed=$((failed + bad))
  summary+=("$tier: $ok passed, $bad failed")
}

# tier NAME KIND COMMAND...: runs one tier, showing its output and keeping it for the count.
tier() {
  local name=$1 kind=$2 log=$LOGS/tier-$1.log begun=$SECONDS status
  shift 2
  say "── $name"
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  tally "$name" "$log" "$status" "$kind"
  say "── $name: $([ "$status" -eq 0 ] && echo ok || echo FAILED), $((SECONDS - begun)) s"
}

# One selection of packages and features for all native tiers: another one would rebuild what they share. The
# feature is for the tests that end the server between two steps of a save; `make run` builds without it.
natively() { cargo "$1" --locked --workspace --exclude stackseal-web --features stackseal-server/crash-points "${@:2}"; }

# tests_named GLOB: test programs by name. tests/layering.rs checks that each one belongs to a tier.
tests_named() { natively test --no-fail-fast --test "$1"; }

# The page's profile is linted, so that its build scripts and macros are compiled once for this and for the page.
lint() {
  local cargo=(cargo)
  # Debian's clippy needs to be told where the wasm standard library lies
  [ "$(cat "$STAMPS/wasm-std")" = debian ] && cargo=(env "SYSROOT=$CACHE/rust" /usr/bin/cargo-clippy)
  natively clippy --all-targets -- -D warnings &&
    page_env "${cargo[@]}" clippy --locked -p stackseal-web --profile page --target $WASM_TARGET -- -D warnings
}

# `core` may need nothing but `core` and `alloc`: built from the standard library's source with only those two,
# by a compiler that has no `std` for the target.
no_std() {
  local cargo=(cargo)
  if [ "$(cat "$STAMPS/wasm-std")" = debian ]; then
    cargo=(env -u RUSTUP_TOOLCHAIN RUSTC=/usr/bin/rustc /usr/bin/cargo)
  elif [ ! -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library/alloc" ]; then
    timeout 180 rustup component add rust-src || return 1
  fi
  RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$CACHE/target-page "${cargo[@]}" build --locked -p stackseal-core \
    --no-default-features --target $WASM_TARGET -Zbuild-std=core,alloc \
    --config 'profile.dev.package."*".opt-level=0' --config profile.dev.debug=false
}

# The codec runs once more as the page has it.
unit() {
  natively test --no-fail-fast --lib --bins --test codec &&
    cargo test --locked -p stackseal-core --test codec
}
cli() { natively build --bin stackseal && tests_named 'cli*'; }
# Always the same documents here; `make differential` makes others.
interop() { natively build --bin stackseal && STACKSEAL_SEED=${STACKSEAL_SEED:-1} tests_named 'interop*'; }

run_tier() {
  case $1 in
    format) tier format check cargo fmt --all --check ;;
    lint) tier lint check lint ;;
    layering) tier layering cargo natively test --no-fail-fast --test layering --test docs ;;
    unit) tier unit cargo unit ;;
    # the page's own logic, on this machine; its screens are the business of e2e
    web) tier web cargo cargo test --locked --no-fail-fast -p stackseal-web ;;
    interop) tier interop cargo interop ;;
    api) tier api cargo tests_named 'api*' ;;
    crash) tier crash cargo tests_named 'crash*' ;;
    cli) tier cli cargo cli ;;
    no-std) tier no-std check no_std ;;
    page) tier page check "$ROOT/scripts/page.sh" ;;
    # the codec as WebAssembly: every vector in Node and in Chromium, with the answers of the native build
    wasm) tier wasm node "$ROOT/scripts/wasm.sh" ;;
    e2e) tier e2e node "$ROOT/scripts/e2e.sh" ;;
    *) fail "there is no tier '$1'; there are: ${all[*]}" ;;
  esac
}

"$ROOT/scripts/tools.sh" test || exit 1
for name in "${tiers[@]}"; do run_tier "$name"; done

printf '\n'
printf '  %s\n' "${summary[@]}"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
