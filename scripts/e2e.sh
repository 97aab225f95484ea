#!/usr/bin/env bash
# Runs end-to-end tests (arguments: their files; default all) against the built page and server in release.
# A file whose name does not end in .test.js is run as a program.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"

"$ROOT/scripts/page.sh"
"$ROOT/scripts/server.sh"
export STACKSEAL_SERVER=$CACHE/target/release/stackseal-server STACKSEAL_SOPS=$SOPS
cd "$ROOT"
case ${1:-} in
  *.test.js | '') ;;
  *) exec node "$1" ;;
esac
[ $# -gt 0 ] || set -- tests/e2e/*.test.js
exec node --test --test-concurrency=1 --test-reporter=tap "$@"
