#!/bin/sh
# Makes sure that what the build needs is there. Installs it where that is safe to do (Debian and
# rustup); says what to install elsewhere. Takes milliseconds when nothing is missing.
set -eu

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# A program that uses libpcap can be linked.
have_libpcap() {
    if have pkg-config && pkg-config --exists libpcap; then return 0; fi
    printf '#include <pcap/pcap.h>\nint main(void) { return pcap_lib_version() == 0; }\n' |
        cc -x c - -lpcap -o /dev/null 2>/dev/null
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo; then sudo "$@"; else return 1; fi
}

apt_install() {
    say "installing $* (Debian packages)"
    as_root env DEBIAN_FRONTEND=noninteractive sh -c '
        apt-get install -y -qq "$@" >/dev/null 2>&1 ||
            { apt-get update -qq && apt-get install -y -qq "$@" >/dev/null; }
    ' sh "$@" || fail "could not install $*; run: sudo apt-get install $*"
}

missing=
have cc || missing="$missing build-essential"
if [ -n "$missing" ] || ! have_libpcap; then missing="$missing libpcap-dev"; fi
if [ -n "$missing" ]; then
    if have apt-get; then
        # shellcheck disable=SC2086 # a list of packages
        apt_install $missing
        have_libpcap || fail "libpcap-dev is installed, but a program does not link with -lpcap"
    else
        fail "missing a C compiler or libpcap with its headers. Packages:
       Fedora, RHEL:  sudo dnf install gcc libpcap-devel
       Arch:          sudo pacman -S base-devel libpcap
       Alpine:        sudo apk add build-base libpcap-dev
       macOS:         xcode-select --install"
    fi
fi

have cargo || fail "cargo is missing; install Rust with rustup: https://rustup.rs"
if ! rustc --version >/dev/null 2>&1; then
    wanted=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
    say "installing the Rust toolchain $wanted"
    rustup toolchain install "$wanted" --profile minimal -c rustfmt -c clippy >&2 ||
        fail "could not; run: rustup toolchain install $wanted"
fi
target=wasm32-unknown-unknown
if [ ! -d "$(rustc --print target-libdir --target $target)" ]; then
    have rustup || fail "the target $target is missing; your Rust was not installed by rustup:
       install its package (Debian: libstd-rust-dev-wasm32; Fedora: rust-std-static-$target)"
    say "installing the Rust target $target"
    rustup target add "$target" >&2 || fail "could not; run: rustup target add $target"
fi
