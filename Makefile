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
	www/vite.config.ts www/tsconfig.json
# With a test named beside the binary, cargo chooses the same features as for all tests, so that
# no dependency is built twice.
BUILD_OFFICE := cargo build --bin doorstep --test record
OFFICE := DOORSTEP_BINARY=$(abspath $(TARGET)/debug/doorstep)
NPM := www/node_modules/.package-lock.json

CHECKS := check-format check-rust check-www check-core
TESTS := test-rust test-browser

.PHONY: help run test dist screenshots clean setup setup-tests npm wasm www check FORCE $(CHECKS) $(TESTS)

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

run: dist ## Build everything and serve the demo at http://127.0.0.1:8787
	@mkdir -p var
	@$(TARGET)/release/doorstep serve --demo --database sqlite:var/doorstep.sqlite3

test: setup-tests www ## Set up, then every check and every test
	@.ci/test $(CHECKS) $(TESTS)

dist: www ## The release: one binary with the web apps inside, target/release/doorstep
	cargo build --release --bin doorstep

check: $(CHECKS) ## All checks that run nothing

check-format: npm ## Formatting
	cargo fmt --all --check
	cd www && npm run --silent format:check

check-rust: www ## Lints of the office and of the phone's core
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo clippy --lib --target $(WASM_TARGET) --quiet -- -D warnings

check-www: wasm npm ## Types and lints of the web apps and their tests
	cd www && npm run --silent check && npm run --silent lint

check-core: wasm ## The phone's core does no I/O
	node www/scripts/pure.mjs

# nextest runs no examples of the documentation.
test-rust: www ## Rust tests
	if cargo nextest --version >/dev/null 2>&1; then \
	  cargo nextest run; \
	  cargo test --doc; \
	else \
	  cargo test; \
	fi

test-browser: www ## The real binary in a real browser
	$(BUILD_OFFICE)
	cd www && $(OFFICE) npx playwright test

screenshots: setup-tests www ## Take the pictures of README anew
	$(BUILD_OFFICE)
	mkdir -p docs/images
	cd www && $(OFFICE) npx playwright test --config playwright.screenshots.ts

setup: ## What building needs: a C compiler, Rust's wasm target
	@.ci/setup build

setup-tests: setup npm ## What the tests need on top: a browser, lints
	@.ci/setup tests

npm: $(NPM) ## The packages of the web apps

wasm: www/src/wasm/doorstep_bg.wasm ## The phone's core as WebAssembly with TypeScript types

www: www/dist/index.html ## The web apps

# npm writes this file last.
$(NPM): www/package.json www/package-lock.json | setup
	@echo "setup: installing the web apps' packages into www/node_modules"
	cd www && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Cargo knows best whether the core has changed; naming the one crate type keeps link-time
# optimisation on.
$(CORE): FORCE | setup
	cargo rustc --lib --crate-type cdylib --profile wasm --target $(WASM_TARGET)

www/src/wasm/doorstep_bg.wasm: $(CORE) $(BINDGEN)
	cargo run --quiet -p bindgen -- $(CORE) www/src/wasm
	@touch $@

www/dist/index.html: www/src/wasm/doorstep_bg.wasm $(WEB) $(NPM)
	cd www && npm run --silent build
	@touch $@

clean: ## Forget everything that was built; the demo's data in var/ stays
	rm -rf target www/dist www/src/wasm www/node_modules www/test-results
