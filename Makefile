# `make run` and `make test` set up what they need on Debian or Ubuntu and say what they do.
# A second run does only what has changed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

WASM_TARGET := wasm32-unknown-unknown
CORE := $(shell find src -name '*.rs' -not -path 'src/office*' -not -path 'src/bin/*') src/record/genesis/schema-1.automerge Cargo.toml Cargo.lock
WEB := $(shell find www/src www/public www/index.html www/office -type f -not -path 'www/src/wasm/*' 2>/dev/null) www/vite.config.ts www/tsconfig.json
STAMPS := target/stamps

.PHONY: help run test check test-rust test-browser bench dist screenshots setup setup-tests wasm www clean

help: ## What there is to make
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

run: www ## Build everything and serve the demo at http://127.0.0.1:8787
	cargo build --release --bin doorstep
	mkdir -p var
	exec target/release/doorstep serve --demo --database sqlite:var/doorstep.sqlite3

test: setup-tests check test-rust test-browser ## Set up, then every check and test
	@echo "test: formatting, lints, types, Rust tests, purity of the wasm and browser tests all passed"

check: www ## Formatting, lints and types
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo clippy --lib --target $(WASM_TARGET) --quiet -- -D warnings
	cd www && npm run --silent check && npm run --silent lint && npm run --silent format:check
	node www/scripts/pure.mjs

test-rust: www ## Rust tests
	if cargo nextest --version >/dev/null 2>&1; then \
	  cargo nextest run --workspace; \
	else \
	  cargo test --workspace; \
	fi

test-browser: www ## The real binary in a real browser
	cargo build --bin doorstep
	cd www && npx playwright test

bench: www ## Figures to target/bench/*.json
	cargo bench --bench figures

dist: www ## The release: one binary with the web apps inside
	cargo build --release --bin doorstep
	@ls -l target/release/doorstep

screenshots: setup-tests www ## Take the pictures of README anew
	cargo build --bin doorstep
	cd www && npx playwright test --config playwright.screenshots.ts

setup: $(STAMPS)/setup $(STAMPS)/npm ## Toolchain and packages to build with

setup-tests: setup $(STAMPS)/browser ## What the tests need on top: a browser

wasm: www/src/wasm/doorstep_bg.wasm ## The phone's core as WebAssembly with TypeScript types

www: www/dist/index.html ## The web apps

$(STAMPS)/setup: .ci/setup
	.ci/setup build
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/browser: .ci/setup
	.ci/setup browser
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/npm: www/package.json www/package-lock.json
	cd www && npm ci --no-audit --no-fund
	ln -sfn ../../www/node_modules tests/browser/node_modules
	mkdir -p $(STAMPS) && touch $@

# Naming the one crate type keeps link-time optimisation on.
www/src/wasm/doorstep_bg.wasm: $(CORE) www/bindgen/src/main.rs | $(STAMPS)/setup
	cargo rustc --lib --crate-type cdylib --profile wasm --target $(WASM_TARGET)
	cargo run --quiet -p bindgen -- target/$(WASM_TARGET)/wasm/doorstep.wasm www/src/wasm
	touch $@

www/dist/index.html: www/src/wasm/doorstep_bg.wasm $(WEB) $(STAMPS)/npm
	cd www && npm run --silent build
	touch $@

clean: ## Forget everything that was built
	rm -rf target www/dist www/src/wasm www/node_modules
