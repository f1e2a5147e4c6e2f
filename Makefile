# `make run` and `make test` set up what they need on Debian or Ubuntu and say what they do.
# A second run does only what has changed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Where rustup puts cargo, for shells that were open before.
export PATH := $(HOME)/.cargo/bin:$(PATH)

TARGET := $(or $(CARGO_TARGET_DIR),target)
WASM_TARGET := wasm32-unknown-unknown
CORE := $(TARGET)/$(WASM_TARGET)/wasm/doorstep.wasm
BINDGEN := $(wildcard www/bindgen/src/*.rs www/bindgen/Cargo.toml)
WEB := $(shell find www/src www/public www/office www/index.html -type f -not -path 'www/src/wasm/*') \
	www/vite.config.ts www/tsconfig.json www/scripts/compress.mjs
# With a test named beside the binary, cargo chooses the same features as for all tests, so that
# no dependency is built twice.
BUILD_OFFICE := cargo build --bin doorstep --test it
OFFICE := DOORSTEP_BINARY=$(abspath $(TARGET)/debug/doorstep)
RELEASED := DOORSTEP_BINARY=$(abspath $(TARGET)/release/doorstep)
NPM := www/node_modules/.package-lock.json
PEERS := benches/peers/node_modules/.package-lock.json
BENCH := $(TARGET)/bench

CHECKS := check-format check-rust check-www check-core check-costs
TESTS := test-rust simulate test-browser test-walks
# What runs beside what in `make test`: a lane that compiles or downloads leaves a core to the other
# most of the time. One lane builds the web apps, before others need them.
PHASES := "check-rust | setup-tests check-format check-www check-core" "test-rust | check-costs" \
	simulate test-browser test-walks

FUZZ := sync_request sync_reply change packed round device_rows case_list worksheet
FUZZ_SECONDS ?= 60
JEPSEN_SECONDS ?= 120
JEPSEN_RUNS ?= 1
JEPSEN_PHONES ?= 200
RECORDS ?= 1000000
# Coverage-guided fuzzing with the ordinary compiler.
FUZZ_FLAGS := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
	-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares

.PHONY: help run test jepsen test-engines api audit baseline bench bench-console bench-peers bench-endpoints lighthouse fuzz dist screenshots fixture clean setup setup-lints setup-tests npm wasm www check FORCE $(CHECKS) $(TESTS)

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

run: dist ## Build everything and serve the demo at http://127.0.0.1:8787
	@mkdir -p var
	@$(TARGET)/release/doorstep serve --demo --database sqlite:var/doorstep.sqlite3

test: setup-lints ## Set up, then every check and every test
	@.ci/test $(PHASES)

audit: setup ## Licences, sources and known holes of what is depended on; needs cargo-deny, and a network for the holes
	@.ci/audit

dist: www ## The release: one binary with the web apps inside, target/release/doorstep
	cargo build --release --bin doorstep

check: $(CHECKS) ## All checks that run nothing

check-format: setup-lints npm ## Formatting; the mutations fit the code
	cargo fmt --all --check
	cd www && npm run --silent format:check
	if command -v git >/dev/null; then for patch in tests/mutations/*.patch; do git apply --check --recount $$patch; done; fi

check-rust: setup-lints ## Lints of the office and of the phone's core
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo clippy --lib --target $(WASM_TARGET) --quiet -- -D warnings

check-www: wasm npm ## Types, lints and words of the web apps, and their tests
	cd www && npm run --silent check && npm run --silent lint && npm run --silent test && node scripts/translations.mjs

check-core: www ## The phone's core does no I/O
	cargo test --quiet -p bindgen
	node www/scripts/pure.mjs

check-costs: setup-tests www ## Instructions and sizes, compared with benches/baseline.json
	node benches/guard.mjs

baseline: setup-tests www ## Take today's instructions and sizes as the baseline: REASON="…"
	node benches/guard.mjs --update "$(REASON)"

test-rust: www ## Rust tests
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run; else cargo test; fi

simulate: ## Phones and office under faults, 2,000 seeds
	$(BUILD_OFFICE)
	$(TARGET)/debug/doorstep simulate --seeds 2000

jepsen: ## Partitions between JEPSEN_PHONES, four endpoints and PostgreSQL, JEPSEN_SECONDS of faults in each of JEPSEN_RUNS; writes target/jepsen
	JEPSEN_SECONDS=$(JEPSEN_SECONDS) JEPSEN_RUNS=$(JEPSEN_RUNS) JEPSEN_PHONES=$(JEPSEN_PHONES) cargo test --test it -- partitions_lose_nothing --nocapture

test-browser: www ## The real binary in a real browser
	$(BUILD_OFFICE)
	cd www && $(OFFICE) npx playwright test

test-walks: www ## The short walk in Firefox and in WebKit
	$(BUILD_OFFICE)
	cd www && $(OFFICE) npx playwright test --config playwright.engines.ts --project=firefox --project=webkit --grep @short

test-engines: setup-tests www ## Every walk in Chromium, Firefox and WebKit
	$(BUILD_OFFICE)
	cd www && $(OFFICE) npx playwright test --config playwright.engines.ts

bench: setup-tests www bench-peers ## Measure: files in target/bench, tables and plots in docs/PERFORMANCE.md
	cargo bench --bench rounds
	cargo bench --bench conduct
	node www/scripts/sizes.mjs $(BENCH)
	$(RELEASED) node www/scripts/list.mjs $(BENCH)
	$(RELEASED) node www/scripts/wire.mjs $(BENCH)
	$(RELEASED) node benches/browser/firstLoad.mjs $(BENCH)
	$(RELEASED) node benches/browser/run.mjs $(BENCH) $(BENCH)/world
	$(RELEASED) node benches/browser/day.mjs $(BENCH)
	node benches/performance.mjs $(BENCH)

bench-console: setup-tests www ## Measure only: the console over RECORDS imported records (1,000,000); takes hours and some gigabytes
	cargo build --release --bin doorstep
	$(RELEASED) node benches/console.mjs $(BENCH) $(RECORDS)

bench-peers: setup-tests www $(PEERS) ## Measure only: Doorstep in Node beside other systems at the same work
	rm -rf $(BENCH)/world
	cargo bench --bench rounds -- --prepare $(abspath $(BENCH))/world 1000 30
	$(RELEASED) node benches/peers/run.mjs $(BENCH) $(BENCH)/world

$(PEERS): benches/peers/package.json benches/peers/package-lock.json | setup
	@echo "setup: installing the other systems into benches/peers/node_modules"
	cd benches/peers && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

bench-endpoints: www ## Measure load on 1, 2 and 4 endpoints over PostgreSQL, 10,000 phones and a storm of them; writes target/bench/endpoints.txt
	@mkdir -p $(BENCH)
	cargo bench --bench load -- postgres | tee $(BENCH)/endpoints.txt

lighthouse: setup-tests www ## Measure the built app with Lighthouse; fails below 95
	cargo build --release --bin doorstep
	$(RELEASED) node www/scripts/lighthouse.mjs $(TARGET)/bench

# What is found lands in fuzz/corpus when it is worth keeping; `tests/it/fuzz.rs` holds it from then on.
fuzz: setup www ## Fuzz every target for FUZZ_SECONDS
	cd fuzz && RUSTFLAGS="$(FUZZ_FLAGS)" cargo build --release --target $(shell rustc -vV | sed -n 's/host: //p')
	@for target in $(FUZZ); do \
	  echo "fuzz: $$target"; mkdir -p fuzz/target/found/$$target; \
	  fuzz/target/*/release/$$target fuzz/target/found/$$target fuzz/corpus/$$target \
	    -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -max_len=8192 -print_final_stats=1 \
	    -artifact_prefix=fuzz/target/ 2>&1 | tail -n 12; \
	done

screenshots: setup-tests www ## Take the pictures of README anew, and of every page into target/screenshots
	$(BUILD_OFFICE)
	mkdir -p docs/images
	cd www && $(OFFICE) npx playwright test --config playwright.screenshots.ts

fixture: setup-tests www ## Keep a phone of this version with unsent work, and its office, in tests/data/profiles; once a release
	$(BUILD_OFFICE)
	cd www && $(OFFICE) npx playwright test --config playwright.fixture.ts

setup: ## What building needs: a C compiler, Rust's wasm target
	@.ci/setup build

setup-lints: setup
	@.ci/setup lints

setup-tests: setup-lints npm ## What the tests need on top: browsers, lints
	@.ci/setup tests

npm: $(NPM) ## The packages of the web apps

api: npm ## The checked-in description of the API, and the console's types made from it
	UPDATE_OPENAPI=1 cargo test --quiet --test it http::routes::the_checked_in_description_is_current
	cd www && npm run --silent generate

wasm: www/src/wasm/doorstep_bg.wasm ## The phone's core as WebAssembly with TypeScript types

www: www/dist/index.html ## The web apps

# npm writes this file last.
$(NPM): www/package.json www/package-lock.json | setup
	@echo "setup: installing the web apps' packages into www/node_modules"
	cd www && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Cargo knows best whether the core has changed; naming the one crate type keeps link-time
# optimisation on. The relocations tell bindgen what nothing reaches.
$(CORE): FORCE | setup
	cargo rustc --lib --crate-type cdylib --profile wasm --target $(WASM_TARGET) -- -Clink-arg=--emit-relocs

www/src/wasm/doorstep_bg.wasm: $(CORE) $(BINDGEN)
	cargo run --quiet -p bindgen -- $(CORE) www/src/wasm
	@touch $@

www/dist/index.html: www/src/wasm/doorstep_bg.wasm $(WEB) $(NPM)
	cd www && npm run --silent build
	@touch $@

clean: ## Forget everything that was built; the demo's data in var/ stays
	rm -rf target www/dist www/src/wasm www/node_modules www/test-results benches/peers/node_modules
