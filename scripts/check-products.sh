#!/usr/bin/env bash
# Fails unless the folder given holds `spar` and one library per plugin product of Package.swift.
set -euo pipefail
folder="${1:?usage: check-products.sh FOLDER}"

# The manifest says plugin("spar-sppo", "SPPOObjective") for each plugin.
products="$(sed -n 's/^ *plugin("\(spar-[a-z0-9-]*\)".*/\1/p' Package.swift)"
[ -n "$products" ] || { echo "build: no plugin products found in Package.swift" >&2; exit 1; }

missing=0
for file in spar $(sed 's/.*/lib&.so/' <<<"$products"); do
  if [ ! -f "$folder/$file" ]; then
    echo "build: $folder/$file was not built" >&2
    missing=1
  fi
done
exit "$missing"
