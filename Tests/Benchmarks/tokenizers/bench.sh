#!/usr/bin/env bash
# Speed of encoding, Spar beside Hugging Face tokenizers; see README.md here.
set -euo pipefail
text="${1:?usage: bench.sh TEXT TOKENIZER.json…}"
shift
folder="$(dirname "${BASH_SOURCE[0]}")"
spar="${SPAR:-$folder/../../../.build/release/spar}"
cut="$(mktemp)"
trap 'rm -f "$cut"' EXIT
# Whole lines only, so that no character is cut.
head -c 10000000 "$text" | sed '$d' >"$cut"
for tokenizer in "$@"; do
  echo "== $tokenizer ($(stat -c %s "$cut") bytes)"
  echo "spar"
  "$spar" bench tokenize --model "$tokenizer" --input "$cut"
  echo "tokenizers"
  TOKENIZERS_PARALLELISM=false "${SPAR_PYTHON:-python3}" "$folder/peer.py" "$tokenizer" "$cut"
done
