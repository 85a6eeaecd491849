#!/usr/bin/env bash
# Installs what `make build` built, so that it runs without the Swift toolchain and without this
# source tree, or takes it away again.
#
#     scripts/install.sh install|uninstall PREFIX [BUILD]
#
# DESTDIR is put before every path that is written (for packagers); BUILD is the folder with the
# built files. What was written is listed in PREFIX/share/spar/installed-files, which is what
# uninstall goes by: plugins of other people in lib/spar/plugins stay.
set -euo pipefail
umask 022
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage='usage: install.sh install|uninstall PREFIX [BUILD]'
action="${1:?$usage}"
prefix="${2:?$usage}"
build="${3:-.build/release}"
fail() { echo "install: $1" >&2; exit 1; }
[[ "$prefix" = /* ]] || fail "PREFIX is $prefix; it must be an absolute path"
root="${DESTDIR:-}${prefix%/}"
record="$root/share/spar/installed-files"

remove_recorded() {
  local file folder
  while IFS= read -r file; do
    rm -f "$root/$file"
    folder="$(dirname "$file")"
    # Folders that are empty now were ours; the first one that is not ends the climb.
    while [ "$folder" != . ] && rmdir "$root/$folder" 2>/dev/null; do
      folder="$(dirname "$folder")"
    done
  done
}

case "$action" in
uninstall)
  [ -f "$record" ] || fail "nothing is installed at $root: $record is missing"
  # The record lists itself, so it is read whole before the first file goes.
  recorded="$(cat "$record")"
  remove_recorded <<<"$recorded"
  echo "install: removed $(wc -l <<<"$recorded") files from $root"
  exit 0 ;;
install) ;;
*) fail "$usage" ;;
esac

for tool in perl readelf ldd; do
  command -v "$tool" >/dev/null || fail "$tool is needed and missing"
done
scripts/check-products.sh "$build"
version="$("$build/spar" --version)"
previous=""
[ ! -f "$record" ] || previous="$(cat "$record")"
written=()

# put MODE SOURCE TARGET-RELATIVE-TO-PREFIX
put() {
  install -D -m "$1" "$2" "$root/$3"
  written+=("$3")
}
put_folder() {
  local file
  while IFS= read -r file; do put 644 "$1/$file" "$2/$file"; done \
    < <(cd "$1" && find . -type f ! -path '*/target/*' ! -name '*.so' ! -name '*.o' \
          -printf '%P\n' | sort)
}

# The libraries of the Swift toolchain among what FILE... load, found transitively: plugins may
# need one that the program does not.
runtime_closure() {
  local file
  for file in "$@"; do env -u LD_LIBRARY_PATH ldd "$file"; done |
    sed -n 's|.*=> \(/.*/usr/lib/swift/linux/lib[^ ]*\.so\) .*|\1|p' | sort -u
}

# The search path inside FILE names the toolchain; the copy shall find the copied libraries, and
# never a toolchain of another version. The new path takes the old one's place in the file, so it
# may not be longer.
set_runpath() {
  local old
  old="$(readelf -d "$1" | sed -n 's/.*(RUNPATH).*\[\(.*\)\].*/\1/p')"
  [ "${#old}" -ge "${#2}" ] || fail "$1: no room for the search path $2 in place of '$old'"
  OLD="$old" NEW="$2" perl -0777 -pi -e '
    my ($old, $new) = ($ENV{OLD}, $ENV{NEW});
    my $count = s/\0\Q$old\E\0/"\0" . $new . "\0" x (1 + length($old) - length($new))/e;
    die "$ARGV: search path not found\n" unless $count;' "$1"
  [ "$(readelf -d "$1" | sed -n 's/.*(RUNPATH).*\[\(.*\)\].*/\1/p')" = "$2" ] ||
    fail "$1: the search path could not be set"
}

plugins=("$build"/libspar-*.so)
put 755 "$build/spar" bin/spar
set_runpath "$root/bin/spar" "\$ORIGIN/../lib/spar/runtime"
for plugin in "${plugins[@]}"; do
  put 644 "$plugin" "lib/spar/plugins/$(basename "$plugin")"
  set_runpath "$root/lib/spar/plugins/$(basename "$plugin")" "\$ORIGIN/../runtime"
done
mapfile -t runtime < <(runtime_closure "$build/spar" "${plugins[@]}")
for library in "${runtime[@]}"; do put 644 "$library" "lib/spar/runtime/$(basename "$library")"; done

put 644 Sources/CSparPlugin/include/spar_plugin.h include/spar/spar_plugin.h
mkdir -p "$root/lib/pkgconfig"
cat >"$root/lib/pkgconfig/spar.pc" <<PC
prefix=\${pcfiledir}/../..
includedir=\${prefix}/include
plugindir=\${prefix}/lib/spar/plugins

Name: spar
Description: Plugin interface of Spar, which aligns language models with preferences on CPUs
Version: $version
Cflags: -I\${includedir}/spar
PC
written+=(lib/pkgconfig/spar.pc)

put_folder templates share/spar/templates
put_folder docs/recipes share/spar/recipes
put_folder docs/examples share/doc/spar/examples
for page in docs/*.md; do put 644 "$page" "share/doc/spar/$(basename "$page")"; done
put 644 LICENSE share/doc/spar/LICENSE

completion() {
  mkdir -p "$(dirname "$root/$2")"
  "$build/spar" --generate-completion-script "$1" >"$root/$2"
  written+=("$2")
}
completion bash share/bash-completion/completions/spar
completion zsh share/zsh/site-functions/_spar
completion fish share/fish/vendor_completions.d/spar.fish

# What an earlier version had and this one has not.
written+=(share/spar/installed-files)
comm -23 <(sort <<<"$previous") <(printf '%s\n' "${written[@]}" | sort) | sed '/^$/d' |
  remove_recorded
printf '%s\n' "${written[@]}" >"$record"

missing="$(for file in bin/spar "${plugins[@]/#*\//lib/spar/plugins/}"; do
  env -u LD_LIBRARY_PATH ldd "$root/$file" | sed -n "s|^[[:space:]]*\(.*\) => not found|$file: \1|p"
done)"
[ -z "$missing" ] || fail "these libraries are not found: $missing"
env -i "$root/bin/spar" --version >/dev/null || fail "$root/bin/spar does not start"
echo "install: spar $version is at $root ($(du -sh "$root/lib/spar/runtime" | cut -f1) of it the" \
  "Swift runtime)"
case ":$PATH:" in
*":$prefix/bin:"*) ;;
*) echo "install: to use it: export PATH=$prefix/bin:\$PATH" ;;
esac
case ":$(pkg-config --variable pc_path pkg-config 2>/dev/null || true):${PKG_CONFIG_PATH:-}:" in
*":$prefix/lib/pkgconfig:"*) ;;
*) echo "install: to build plugins: export PKG_CONFIG_PATH=$prefix/lib/pkgconfig" ;;
esac
