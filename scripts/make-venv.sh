#!/usr/bin/env bash
# Makes a Python environment with h5py at the place given. Tests use it to read our HDF5 files
# with the program that users have. Without a network they are skipped, so this never fails.
set -euo pipefail
venv="${1:?usage: make-venv.sh FOLDER}"

"$venv/bin/python" -c 'import h5py' 2>/dev/null && exit 0
rm -rf "$venv"
mkdir -p "$(dirname "$venv")"
if python3 -m venv "$venv" &&
  "$venv/bin/python" -m pip --disable-pip-version-check install --quiet h5py &&
  "$venv/bin/python" -c 'import h5py'; then
  exit 0
fi
rm -rf "$venv"
echo "venv: h5py could not be installed; the tests that read our files with it are skipped" >&2
