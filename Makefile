# The front door. `make demo` and `make test` do all the set-up that a fresh machine needs.

CARGO ?= cargo
FLOWCELL := $(or $(CARGO_TARGET_DIR),target)/debug/flowcell

.PHONY: help demo test check lint bench fuzz-smoke miri setup build clean

help: ## Show what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: build ## Parse the bundled mail capture and print its records
	@$(FLOWCELL) run -r tests/traces/mail.pcap

test: build ## Run all tests
	$(CARGO) test --workspace --doc
	$(CARGO) test --workspace --all-targets

check: lint test ## Everything that CI gates on

lint: setup ## Formatting, clippy, documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy -p flowcell-sdk $(patsubst parsers/%/Cargo.toml,-p flowcell-parser-%,$(shell grep -l cdylib parsers/*/Cargo.toml)) \
		--target wasm32-unknown-unknown --profile guest -- -D warnings
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --workspace --no-deps

bench: setup ## Measure, as ratios within one run, and write docs/benchmarks.md
	$(CARGO) build --release -p flowcell -p flowcell-bench
	$(or $(CARGO_TARGET_DIR),target)/release/flowcell-bench all --write docs/benchmarks.md

fuzz-smoke: ## Run every fuzz target for some seconds
	@sh fuzz/smoke.sh

miri: ## Look for undefined behaviour in the host's unsafe code, with nightly Rust
	$(CARGO) +nightly miri test --manifest-path miri/Cargo.toml

build: setup ## Build the binary with the bundled parsers in it
	$(CARGO) build --workspace --bin flowcell

setup: ## Install what is missing: libpcap's headers, the wasm target
	@sh host/build/setup.sh

clean: ## Remove what was built
	$(CARGO) clean
