#!/usr/bin/env bash
# Makes a Python environment at the place given, with what tests compare with: h5py and gguf read our
# files as users do; jinja2, tokenizers and sentencepiece are what our text must equal. Without a
# network those tests are skipped, so this never fails.
set -euo pipefail
venv="${1:?usage: make-venv.sh FOLDER}"

packages=(h5py gguf jinja2 tokenizers sentencepiece)
imports='import h5py, gguf, jinja2, tokenizers, sentencepiece'

"$venv/bin/python" -c "$imports" 2>/dev/null && exit 0
rm -rf "$venv"
mkdir -p "$(dirname "$venv")"
if python3 -m venv "$venv" &&
  "$venv/bin/python" -m pip --disable-pip-version-check install --quiet "${packages[@]}" &&
  "$venv/bin/python" -c "$imports"; then
  exit 0
fi
rm -rf "$venv"
echo "venv: ${packages[*]} could not be installed; the tests that need them are skipped" >&2
