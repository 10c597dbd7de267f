# Shared by the scripts: what must be on the machine, and how it gets there. Sourced, not run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
tools=$root/target/tools

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Installs Debian packages, where this is Debian and we may.
install_packages() {
  command -v apt-get >/dev/null || die "please install: $*"
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "please install as root: apt-get install $*"
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL="${RUNLEVEL:-}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Rust by rustup, and a C compiler: what it takes to build.
need_rust() {
  command -v cargo >/dev/null || die "Rust is missing: install it from https://rustup.rs"
  command -v cc >/dev/null || install_packages gcc libc6-dev
}

# clippy and rustfmt, which a minimal Rust lacks.
need_lints() {
  cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
  cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
}

# need_programs PROGRAM:PACKAGE[+PACKAGE]...: the Debian packages of those programs that are missing, all in one go. None of
# them must run as a service.
need_programs() {
  local pair packages missing=()
  for pair in "$@"; do
    IFS=+ read -ra packages <<<"${pair#*:}"
    command -v "${pair%%:*}" >/dev/null || missing+=("${packages[@]}")
  done
  [ "${#missing[@]}" -eq 0 ] || RUNLEVEL=1 install_packages "${missing[@]}"
}

# What the process tests run: images, a Prometheus, a slow disk.
# shellcheck disable=SC2034 # for scripts that source this
test_programs=(buildah:buildah podman:podman+netavark runc:runc prometheus:prometheus promtool:prometheus bindfs:bindfs)
# What boots a Debian, and what is asked of it.
# shellcheck disable=SC2034 # for scripts that source this
boot_programs=(debootstrap:debootstrap systemd-nspawn:systemd-container openssl:openssl curl:curl ip:iproute2)
# The programs that make Debian packages, in addition to Cargo.
# shellcheck disable=SC2034 # for scripts that source this
package_programs=(dpkg-shlibdeps:dpkg-dev)

# What makes Debian packages.
need_cargo_deb() {
  local version=3.8.0
  if ! "$tools/bin/cargo-deb" --version 2>/dev/null | grep -qx "$version"; then
    # It packs a few files: its build is what takes long, so that it is not optimized, but for the compression, which is C.
    CFLAGS=-O2 cargo install --quiet --locked --debug --root "$tools" --version "$version" cargo-deb
  fi
}

# What runs fuzzers.
need_cargo_fuzz() {
  local version=0.13.2
  command -v c++ >/dev/null || install_packages g++
  if ! "$tools/bin/cargo-fuzz" --version 2>/dev/null | grep -qx "cargo-fuzz $version"; then
    cargo install --quiet --locked --root "$tools" --version "$version" cargo-fuzz
  fi
}

# Tools from PyPI in a virtual environment of the repository: a foreign gRPC client and linters.
need_python_tools() {
  local wanted=$root/tests/requirements.txt
  if [ -f "$venv/.installed" ] && cmp -s "$wanted" "$venv/.installed"; then
    return
  fi
  # Debian's python3 has no venv without its package.
  python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || install_packages python3 python3-venv
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
  cp "$wanted" "$venv/.installed"
}
