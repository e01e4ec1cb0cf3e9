#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086,SC2154,SC2317
#
# Guest side of "make check-stress", the part "huge": mkfs, mount and fsck of a
# volume of 488,369,940 blocks (1.8 TiB) on a sparse disk, and files at its far
# end. What may take a second at most is measured.
. /job/lib.sh

mnt=/mnt/vexfs
mkdir -p $mnt

ms() { cut -d' ' -f1 /proc/uptime | sed 's/\.\(.*\)/\10/'; }

# timed NAME COMMAND...: a test, and the milliseconds it took, in $took.
timed() {
	timed_name=$1
	shift
	begin=$(ms)
	check "$timed_name" "$@"
	took=$(($(ms) - begin))
	echo "# $timed_name: $took ms"
}

below_a_second() { [ $took -lt 1000 ]; }

made() {
	mkfs.vexfs -f -V "$DISK0" >/tmp/mkfs.out || return
	for figure in 488369940 14904 480545326; do
		grep -q "$(echo $figure | sed 's/./&,*/g')" /tmp/mkfs.out ||
			{ sed 's/^/# /' /tmp/mkfs.out; return 1; }
	done
}

sound() {
	fsck.vexfs -n -f "$DISK0" >/tmp/fsck.out 2>&1 && return
	sed 's/^/# /' /tmp/fsck.out
	return 1
}

mounted() {
	timed "$1" mount -t vexfs "$DISK0" $mnt
	check "$1: in less than a second" below_a_second
}

# 1.7 TiB that nothing else can have.
fill() {
	i=0
	while [ $i -lt 17 ]; do
		fallocate -l 107374182400 $mnt/ahead$i || return
		i=$((i + 1))
	done
}

remove() { rm $mnt/ahead* && sync; }

echo "@@test begin huge"
modprobe vexfs
timed "mkfs.vexfs" made
timed "fsck.vexfs, empty" sound
mounted "mount, empty"
timed "1.7 TiB are preallocated" fill
# Not in the first 80 % of the volume: they are taken
timed "data is written at the far end" stressfar write $mnt/far 400000000
timed "sync" sync
timed "unmount" umount $mnt
timed "fsck.vexfs, full" sound
mounted "mount, full"
timed "the data is there" stressfar verify $mnt/far
timed "1.7 TiB are removed" remove
check "unmounted" umount $mnt
timed "fsck.vexfs, removed" sound
mounted "mount, used"
check "the data is still there" stressfar verify $mnt/far
check "unmounted again" umount $mnt
plan
status=$?
echo "@@test end huge $status"
exit $status
