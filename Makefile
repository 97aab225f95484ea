# Everything goes through here; CI calls nothing else.
.DEFAULT_GOAL := help
.PHONY: help run test check interop differential bench fuzz web e2e tools size screens transcript wasm clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing, build, and start Stackseal on http://127.0.0.1:8080
	@exec scripts/run.sh

test: ## every check and test; ends with `N passed, N failed`
	@scripts/test.sh

check: ## formatting, lints, layering and unit tests only
	@scripts/test.sh format lint layering unit web

interop: ## the codec against the real sops and age
	@scripts/test.sh interop

differential: ## generated documents against the real sops: COUNT=20000 a format, SEED=n repeats a run
	@scripts/differential.sh "$${COUNT:-20000}"

bench: ## CPU time and memory beside the real sops
	@scripts/bench.sh

fuzz: ## mutated input into every parser: MINUTES=10 a target
	@scripts/fuzz.sh "$${MINUTES:-10}"

web: ## build the page into web/dist
	@scripts/tools.sh run
	@scripts/page.sh

wasm: ## the codec as WebAssembly: every vector in Node and in Chromium
	@scripts/test.sh wasm

e2e: ## the page in a real browser against the real server
	@scripts/test.sh e2e

tools: ## bring the tools of all of this, and stop there
	@scripts/tools.sh test

size: web ## what a browser loads and what the codec alone weighs, brotli-compressed
	@scripts/size.sh

screens: ## take the pictures of docs/screens again
	@scripts/tools.sh test
	@scripts/e2e.sh tests/e2e/screens.js

transcript: ## write docs/transcript.md from an end-to-end run
	@scripts/tools.sh test
	@STACKSEAL_TRANSCRIPT=docs/transcript.md scripts/e2e.sh tests/e2e/journey.test.js

clean: ## remove build results (not the tools, not your data)
	rm -rf web/dist "$${STACKSEAL_CACHE:-$$HOME/.cache/stackseal}"/target*
