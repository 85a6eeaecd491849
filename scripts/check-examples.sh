#!/usr/bin/env bash
# Does what a plugin author does, outside this source tree: installs Spar into a temporary prefix,
# writes every project that `spar plugin new` can write, builds them and the examples of docs/ with
# their own tools, runs their tests and `spar plugin check`.
#
#     scripts/check-examples.sh [--quick] [BUILD]
#
# --quick leaves out what takes minutes: Swift's projects and the example folders. A tool that this
# machine lacks costs a line, not the run. BUILD is the folder with the built files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source_tree="$PWD"

quick=0
if [ "${1:-}" = --quick ]; then quick=1; shift; fi
build="${1:-.build/release}"

work="$(mktemp -d "${TMPDIR:-/tmp}/spar-examples-XXXXXX")"
trap 'rm -rf "$work"' EXIT
export PATH="$work/prefix/bin:$PATH:$HOME/.cargo/bin"
export PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig"
export SPAR="$work/prefix/bin/spar"
unset SPAR_INCLUDE SPAR_PLUGIN_PATH MAKEFLAGS MFLAGS MAKELEVEL

passed=0 skipped=0 failed=()
# step NAME COMMAND...: runs it, shows its output only when it fails.
step() {
  local name="$1" log="$work/log" begin=$SECONDS status
  shift
  # A subshell of its own, outside any condition: there `set -e` stops at the first failure.
  set +e
  (
    set -e
    "$@"
  ) >"$log" 2>&1
  status=$?
  set -e
  if [ $status -eq 0 ]; then
    passed=$((passed + 1))
    printf 'ok    %-32s %3d s\n' "$name" $((SECONDS - begin))
  else
    failed+=("$name")
    printf 'FAIL  %s\n' "$name"
    sed 's/^/      /' "$log"
  fi
}
skip() {
  skipped=$((skipped + 1))
  printf 'skip  %-32s %s\n' "$1" "$2"
}

# The library is listed, and passes the conformance suite where this Spar has one.
examine() {
  "$SPAR" plugin info "$1" >/dev/null
  if "$SPAR" plugin --help | grep -q '^  check '; then "$SPAR" plugin check "$1"; fi
}
make_project() {
  (cd "$1" && make && if grep -q '^test:' Makefile; then make test; fi)
  local library
  for library in "$1"/libspar-*.so; do examine "$library"; done
}
cargo_project() {
  (cd "$1" && cargo build --offline --release && cargo test --offline --release)
  local library
  for library in "$1"/target/release/libspar*.so; do examine "$library"; done
}
swift_project() {
  (cd "$1" && ${SWIFT:-swift} build -c release && ${SWIFT:-swift} test)
  local library
  for library in "$1"/.build/release/libspar-*.so; do examine "$library"; done
}

step install scripts/install.sh install "$work/prefix" "$build"
[ ${#failed[@]} -eq 0 ] || exit 1

project() {
  local language="$1" kind="$2" folder="$work/$1-$2"
  "$SPAR" plugin new "$kind" --language "$language" "my-$kind" --output "$folder" \
    --author 'A "quoted" \ author'
  if grep -rnE '@[A-Z]+@' "$folder"; then
    echo "a placeholder was left in $folder"
    return 1
  fi
  case "$language" in
  c | cpp) make_project "$folder" ;;
  rust) cargo_project "$folder" ;;
  swift) swift_project "$folder" ;;
  esac
}
declare -A tool=([c]=cc [cpp]=g++ [rust]=cargo [swift]=swift)
for language in c cpp rust swift; do
  for kind in objective ranker backend; do
    if [ "$language" = swift ] && [ $quick -eq 1 ]; then continue; fi
    if command -v "${tool[$language]}" >/dev/null; then
      step "new $kind in $language" project "$language" "$kind"
    else
      skip "new $kind in $language" "${tool[$language]} is not on this machine"
    fi
  done
done

ipo() {
  local flags
  flags="$(pkg-config --cflags spar)"
  # shellcheck disable=SC2086 # flags are words
  cc -std=c11 -O2 -Wall -Wextra -fPIC -shared -fvisibility=hidden $flags \
    -o "$work/libspar-ipo.so" "$source_tree/docs/examples/ipo.c"
  examine "$work/libspar-ipo.so"
}
step docs/examples/ipo.c ipo

if [ $quick -eq 0 ]; then
  for folder in docs/examples/*/; do
    name="$(basename "$folder")"
    if [ ! -f "$folder/Makefile" ] && [ ! -f "$folder/Cargo.toml" ]; then continue; fi
    mkdir -p "$work/examples"
    # Without what an author may have built in place.
    tar -C docs/examples --exclude=target --exclude='*.so' -cf - "$name" |
      tar -C "$work/examples" -xf -
    if [ -f "$folder/Cargo.toml" ]; then
      if command -v cargo >/dev/null; then
        step "docs/examples/$name" cargo_project "$work/examples/$name"
      else
        skip "docs/examples/$name" "cargo is not on this machine"
      fi
    elif grep -q dnnl "$folder/Makefile" &&
      ! echo '#include <dnnl.h>' | cc -E -x c - >/dev/null 2>&1; then
      skip "docs/examples/$name" "libdnnl-dev is not on this machine"
    else
      step "docs/examples/$name" make_project "$work/examples/$name"
    fi
  done
fi

echo "examples: $passed passed, $skipped skipped, ${#failed[@]} failed"
[ ${#failed[@]} -eq 0 ]
