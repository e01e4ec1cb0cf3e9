#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots the benchmark's guest: User-Mode Linux on the host's own files, with a
# fresh volume; the first serial line is standard input and output. Its memory
# is a file on a tmpfs with huge pages where root can mount one, for a kernel
# has its memory on huge pages too.
set -eu
. "$(dirname "$0")/../tests/lib.sh"

dir=$BUILD/bench/guest.d
image=$dir/image

mkdir -p "$dir/mem" "$dir/mnt"
rm -f "$image"
truncate -s "${VEXFS_DISK:-6G}" "$image"
"$BUILD/bin/mkfs.vexfs" -f "$image" >/dev/null

if [ "$(id -u)" = 0 ] && [ -z "${VEXFS_UNSHARED:-}" ]; then
	export VEXFS_UNSHARED=1
	exec unshare -m "$0"
fi
[ -z "${VEXFS_UNSHARED:-}" ] ||
	mount -t tmpfs -o huge=always,size=90% vexfs-mem "$dir/mem" || true
export TMPDIR=$dir/mem
# Its processes unmap what the C library registered for restartable sequences;
# the host would kill them for that.
export GLIBC_TUNABLES=glibc.pthread.rseq=0
# The guest has one processor, and gets one: its kernel and its programs are
# processes that wait for each other, and to wake the other one elsewhere takes
# several times as long as an ioctl does.
cpu=$(taskset -cp $$)
cpu=${cpu##*[!0-9]}
exec 3>"$dir/log"
exec taskset -c "$cpu" "$BUILD/uml-bench/linux" "mem=${VEXFS_MEM:-3G}" \
	root=/dev/root rootfstype=hostfs rootflags=/ rw "init=$TOP/bench/guest-init" \
	"ubd0=$image" con=null con0=null,fd:3 ssl=null ssl0=fd:0,fd:1 \
	console=tty0 loglevel=5 panic=-1 "VEXFS_KO=$VEXFS_KO" \
	"VEXFS_MNT=$dir/mnt" "VEXFS_GUEST=$BUILD/bench/guest" \
	"VEXFS_BUSYBOX=$CACHE/busybox" "VEXFS_SIMD=${SIMD:-}"
