#!/usr/bin/env bash
# Installs the system packages that the build needs, if any of them is missing.  `setup.sh tests`
# adds what only the tests need: oneDNN, for the example of a backend in C++.
set -euo pipefail

for_tests=false
[ "${1:-}" = tests ] && for_tests=true

complete() {
  command -v pkg-config >/dev/null && command -v unzip >/dev/null &&
    pkg-config --exists openblas hdf5 libpcre2-8 libzstd zlib &&
    [[ "$(/sbin/ldconfig -p)" == *"libcurl.so.4 "* ]] &&
    python3 -m pip --version >/dev/null 2>&1 &&
    { ! $for_tests || [ -e /usr/include/oneapi/dnnl/dnnl.hpp ]; }
}
complete && exit 0

packages=(libcurl4 libopenblas-dev libhdf5-dev libnuma-dev libpcre2-dev libzstd-dev zlib1g-dev pkg-config unzip)
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip python3-venv)
! $for_tests || packages+=(libdnnl-dev)

fail() {
  echo "setup: $1" >&2
  echo "setup: please install by hand: ${packages[*]}" >&2
  exit 1
}
command -v apt-get >/dev/null || fail "apt-get is not on this system, so nothing was installed"
if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif command -v sudo >/dev/null; then
  # Without a terminal a password prompt would hang: -n makes sudo fail instead.
  if [ -t 0 ]; then as_root=(sudo); else as_root=(sudo -n); fi
else
  fail "you are not root and there is no sudo, so nothing was installed"
fi

echo "setup: installing ${packages[*]}"
"${as_root[@]}" apt-get update || fail "apt-get update failed"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y --no-install-recommends "${packages[@]}" || fail "apt-get install failed"
complete || fail "packages are installed, yet openblas, hdf5, libpcre2-8, libzstd, zlib (or oneDNN) is not found"
