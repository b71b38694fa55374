#!/bin/sh
# Runs every fuzz target for FUZZ_SECONDS (20), from its seeds. Says why if that can't be done here:
# `cargo test -p flowcell-core --test fuzz_seeds` runs the same targets without a fuzzer.
set -eu
cd "$(dirname "$0")"

if ! cargo +nightly --version >/dev/null 2>&1; then
	echo "fuzz-smoke: skipped, as there is no nightly Rust: rustup toolchain install nightly"
	exit 0
fi
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
	echo "fuzz-smoke: skipped, as there is no cargo-fuzz: cargo install cargo-fuzz"
	exit 0
fi

for target in $(cargo +nightly fuzz list); do
	echo "fuzz-smoke: $target"
	mkdir -p "corpus/$target"
	# What a parser's flow has is freed with its sandbox; natively some of it never is.
	case "$target" in parsers) leaks=0 ;; *) leaks=1 ;; esac
	export ASAN_OPTIONS="detect_leaks=$leaks"
	cargo +nightly fuzz run "$target" "corpus/$target" "seeds/$target" -- \
		-max_total_time="${FUZZ_SECONDS:-20}" -max_len=2000 -timeout=20 -print_final_stats=1 -print_funcs=0 -verbosity=0
done
