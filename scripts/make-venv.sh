#!/usr/bin/env bash
# Makes a Python environment with h5py, gguf and jinja2 at the place given. Tests use them to read our
# HDF5 and GGUF files with the programs that users have, and to compare chat templates. Without a
# network they are skipped, so this never fails.
set -euo pipefail
venv="${1:?usage: make-venv.sh FOLDER}"

"$venv/bin/python" -c 'import h5py, gguf, jinja2' 2>/dev/null && exit 0
rm -rf "$venv"
mkdir -p "$(dirname "$venv")"
if python3 -m venv "$venv" &&
  "$venv/bin/python" -m pip --disable-pip-version-check install --quiet h5py gguf jinja2 &&
  "$venv/bin/python" -c 'import h5py, gguf, jinja2'; then
  exit 0
fi
rm -rf "$venv"
echo "venv: h5py, gguf and jinja2 could not be installed; the tests that need them are skipped" >&2
