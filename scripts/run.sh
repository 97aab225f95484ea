#!/usr/bin/env bash
# `make run`: brings what is missing, builds the page and the server, starts the server in the foreground.
# Further arguments go to the server. Its log is cut to warnings, so that the sign-in link stays in view;
# STACKSEAL_LOG=info shows the whole.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "$0")/env.sh"

"$ROOT/scripts/tools.sh" run
"$ROOT/scripts/page.sh"
"$ROOT/scripts/server.sh"
export STACKSEAL_LOG=${STACKSEAL_LOG:-warn}
exec "$CACHE/target/release/stackseal-server" "$@"
