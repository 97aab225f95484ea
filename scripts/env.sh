# shellcheck shell=bash
# Paths and small functions that every script here sources. Sets nothing up by itself.
#
# STACKSEAL_CACHE      where tools and build results go (default ~/.cache/stackseal)
# STACKSEAL_WASM_STD   auto (default: rustup, else Debian), rustup, or debian

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${STACKSEAL_CACHE:-$HOME/.cache/stackseal}
BIN=$CACHE/bin
STAMPS=$CACHE/stamps
# two checkouts may be at work at once
LOGS=$CACHE/logs/$(printf %s "$ROOT" | sha256sum | cut -c1-8)
WASM_TARGET=wasm32-unknown-unknown
WASM_STD=${STACKSEAL_WASM_STD:-auto}
TRUNK_VERSION=0.21.14
SOPS_VERSION=3.11.0
PAGE_DIR=$ROOT/web/dist
# the reference: the real sops
SOPS=$BIN/sops

mkdir -p "$BIN" "$STAMPS" "$LOGS"

# What runs in the background ends with the script, also on Ctrl-C.
trap 'exit 130' INT TERM
trap 'jobs -p | xargs -r kill 2>/dev/null' EXIT

say() { printf 'stackseal: %s\n' "$*" >&2; }
fail() { printf 'stackseal: error: %s\n' "$*" >&2; exit 1; }

# progress LABEL COMMAND...: runs it with its output in a log; says every 20 s that it is still at work, and
# shows the end of the log when it fails, unless QUIETLY is set, where the caller has another way.
progress() {
  local label=$1 log pid begun=$SECONDS status=0 next=20
  shift
  log=$LOGS/$(printf '%s' "$label" | tr -cs 'a-zA-Z0-9.' '-').log
  say "$label"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if [ $((SECONDS - begun)) -ge $next ]; then
      say "  … ${label%% (*}: ${next} s: $(tail -n 1 "$log" | tr -d '\r' | cut -c1-90)"
      next=$((next + 20))
    fi
  done
  wait "$pid" || status=$?
  if [ $status -ne 0 ] && [ -z "${QUIETLY:-}" ]; then
    tail -n 25 "$log" >&2
    say "$label failed; the whole output is in $log"
  fi
  return $status
}

# as_root COMMAND...: directly, or through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else return 1
  fi
}

# page_env COMMAND...: runs it with the toolchain and tools that build the page.
page_env() {
  local path=$BIN:$PATH
  [ "$(cat "$STAMPS/wasm-std" 2>/dev/null)" = debian ] && path=$CACHE/rust/bin:$path
  # trunk takes NO_COLOR=1 for a malformed option
  env -u NO_COLOR -u RUSTC -u RUSTUP_TOOLCHAIN PATH="$path" CARGO_TARGET_DIR="$CACHE/target-page" "$@"
}

# content_hash PATH...: changes when a tracked or new file under the paths changes.
content_hash() {
  (cd "$ROOT" && git ls-files -z --cached --others --exclude-standard -- "$@" | sort -zu |
    while IFS= read -r -d '' file; do [ -f "$file" ] && printf '%s\0' "$file"; done |
    xargs -0 sha256sum | sha256sum | cut -c1-32)
}
