#!/usr/bin/env bash
# Boots a machine with two memory nodes in QEMU and runs the placement test of the numa plugin there.
#
#   scripts/numa-qemu.sh [FOLDER]     FOLDER holds libspar-numa.so and libspar-openblas.so
#                                     (default .build/release)
#
# Everything comes from Debian: the cloud kernel and a static busybox are fetched with
# `apt-get download` and unpacked, not installed.  No KVM is needed; by emulation it takes a minute or
# two.  Needs qemu-system-x86, a C compiler, apt and dpkg.  Files stay in .build/numa-qemu.
set -euo pipefail
cd "$(dirname "$0")/.."

plugins="$(realpath "${1:-.build/release}")"
work=.build/numa-qemu
fail() { echo "numa-qemu: $1" >&2; exit 1; }

for tool in qemu-system-x86_64 cc apt-get apt-cache dpkg-deb ldd gzip; do
  command -v "$tool" >/dev/null || fail "$tool is missing"
done
for plugin in libspar-numa.so libspar-openblas.so; do
  [ -f "$plugins/$plugin" ] || fail "$plugins/$plugin was not built; run make build first"
done
mkdir -p "$work/packages"

# The kernel's package name holds its version, which the meta package knows.
kernel="$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -1)"
[ -n "$kernel" ] || fail "apt knows no linux-image-cloud-amd64; run apt-get update"
for package in "$kernel" busybox-static; do
  compgen -G "$work/packages/${package}_*.deb" >/dev/null ||
    (cd "$work/packages" && apt-get download -q "$package")
  rm -rf "${work:?}/$package"
  dpkg-deb -x "$work/packages/${package}"_*.deb "$work/$package"
done
image="$(echo "$work/$kernel"/boot/vmlinuz-*)"
busybox="$work/busybox-static/bin/busybox"

cc -O2 -std=gnu11 -ISources/CSparPlugin/include Tests/Benchmarks/numa/[mho]*.c -o "$work/placement" -ldl

root="$work/root"
rm -rf "$root"
mkdir -p "$root"/{bin,proc,sys,dev,lib64,plugins}
cp "$busybox" "$root/bin/busybox"
cp "$work/placement" "$root/bin/placement"
cp "$plugins"/libspar-{numa,openblas}.so "$root/plugins/"
numa="$(ldconfig -p | sed -n 's/.*libnuma\.so\.1 .*x86-64.* => //p' | head -1)"
# With their own paths, so that the loader finds them.
{ ldd "$work/placement" "$plugins"/libspar-{numa,openblas}.so ${numa:+"$numa"} |
    sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ :]*\) (.*/\1/p'; echo "$numa"; } |
  sort -u | while read -r library; do
    if [ -n "$library" ]; then
      mkdir -p "$root$(dirname "$library")"
      cp -L "$library" "$root$library"
    fi
  done
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
echo "guest: Linux $(/bin/busybox uname -r), $(/bin/busybox nproc) cores"
for node in /sys/devices/system/node/node[0-9]*; do
  echo "guest: ${node##*/}: cores $(/bin/busybox cat "$node/cpulist"), distances" \
    "$(/bin/busybox cat "$node/distance")"
done
run() {
  echo "guest: == $1"
  shift
  "$@" || echo "guest: FAILED with exit code $?"
}
placement="/bin/placement /plugins/libspar-numa.so /plugins/libspar-openblas.so"
run "two nodes" $placement
run "two nodes, mbind forbidden" $placement 0 no-mbind
run "tied to the cores of node 1" /bin/busybox taskset 0xc $placement
/bin/busybox find / -xdev -name 'libnuma.so*' -exec /bin/busybox rm {} ';'
run "two nodes, without libnuma" $placement
echo "guest: done"
/bin/busybox poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | "$OLDPWD/$busybox" cpio -o -H newc 2>/dev/null) | gzip -1 >"$work/initrd.gz"

log="$work/record.txt"
timeout 900 qemu-system-x86_64 -accel tcg -cpu max -smp 4 -m 1536 \
  -object memory-backend-ram,id=m0,size=768M -numa node,nodeid=0,cpus=0-1,memdev=m0 \
  -object memory-backend-ram,id=m1,size=768M -numa node,nodeid=1,cpus=2-3,memdev=m1 \
  -numa dist,src=0,dst=1,val=20 -kernel "$image" -initrd "$work/initrd.gz" \
  -append "console=ttyS0 quiet panic=-1" -display none -serial stdio -monitor none -no-reboot \
  </dev/null | tr -d '\r' | tee "$log"
# Each of the runs must have come to its end.
[ "$(grep -c '^placement: all is well$' "$log")" = "$(grep -c '^guest: == ' "$log")" ] &&
  grep -q 'topology from sysfs, without libnuma' "$log" && grep -q '^guest: done$' "$log" && ! grep -q '^FAIL' "$log" ||
  fail "the placement test failed; see $log"
echo "numa-qemu: all is well; the record is $log"
