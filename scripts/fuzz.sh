#!/usr/bin/env bash
# Feeds the parsers of files and templates mutated inputs: libFuzzer with the address sanitizer.
#   scripts/fuzz.sh [SECONDS [PARSER…]]     600 seconds and all parsers unless given
# Inputs that make a parser trap, take long (1 s of the processor) or take more than 2 GB end in .build/fuzz/findings.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${1:-600}"
shift || true
tree="$PWD"
work="$tree/.build/fuzz"
mkdir -p "$work/package" "$work/findings"
ln -sfn "$tree/Sources" "$work/package/Sources"
ln -sfn "$tree/Tests/Fuzz/Sources" "$work/package/Fuzz"
cp "$tree/Tests/Fuzz/Package.swift" "$work/package/Package.swift"
(cd "$work/package" && "${SWIFT:-swift}" build -c release)
program="$work/package/.build/release/spar-fuzz"

parsers=("$@")
if [ ${#parsers[@]} -eq 0 ]; then
  mapfile -t parsers < <(SPAR_FUZZ= "$program" 2>&1 | sed -n 's/.*one of //p' | tr ' ' '\n')
fi
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
status=0
# A program without counters runs as fast, finds nothing, and says nothing.
grep -q ' inline 8-bit counters' < <(SPAR_FUZZ=json "$program" -runs=1 2>&1) ||
  { echo 'fuzz: the program carries no coverage counters; see Tests/Fuzz/Package.swift' >&2; exit 1; }
for parser in "${parsers[@]}"; do
  corpus="$work/corpus/$parser"
  mkdir -p "$corpus"
  SPAR_FUZZ="$parser" SPAR_FUZZ_SEEDS="$corpus" "$program"
  echo "fuzz: $parser for $seconds s"
  SPAR_FUZZ="$parser" nice -n 19 "$program" "$corpus" -max_total_time="$seconds" -timeout=20 \
    -rss_limit_mb=2048 -malloc_limit_mb=512 -max_len=16384 -print_final_stats=1 \
    -artifact_prefix="$work/findings/$parser-" >"$work/$parser.log" 2>&1 || status=1
  rm -rf /dev/shm/spar-fuzz-*
  grep -E '^stat::(number_of_executed_units|peak_rss_mb)|^SUMMARY|Test unit written' \
    "$work/$parser.log" || true
done
exit $status
