#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086,SC2154,SC2317
#
# Loads the module, mounts, works a little, unmounts and unloads, fifty times:
# nothing may be left behind.
. /job/lib.sh

mnt=/mnt/vexfs
mkdir -p $mnt

work() {
	echo "$1" >$mnt/file &&
		vexctl create $mnt/coll.vex -d 3 >/dev/null &&
		printf '1 2 3\n4 5 6\n' |
		vexctl import $mnt/coll.vex - >/dev/null &&
		rm $mnt/file $mnt/coll.vex
}

cycle() {
	modprobe vexfs && mount -t vexfs "$DISK0" $mnt && work "$1" &&
		umount $mnt && rmmod vexfs
}

cycles() {
	i=0
	while [ $i -lt "$1" ]; do
		cycle $i || return 1
		i=$((i + 1))
	done
}

nothing_left() {
	[ ! -e /proc/vexfs ] && [ ! -e /sys/fs/vexfs ] &&
		! grep -q vexfs /proc/slabinfo &&
		! grep -q vexfs /proc/filesystems
}

# A leak of one object a cycle is less than what caches sway by; one of a page
# a cycle is not.
memory_steady() { [ $(($(unreclaimable) - before)) -lt 2048 ]; }

echo "@@test begin loads"
mkfs.vexfs -f -V "$DISK0" >/dev/null || exit 1
check "five cycles to warm up" cycles 5
before=$(unreclaimable)
check "fifty times load, mount, work, unmount, unload" cycles 50
check "no /proc entry, sysfs entry, slab or filesystem type is left" \
	nothing_left
# Where allocations are kept account of the accounts grow; the leaks that
# this looks for are found there by name.
if [ -e "$kmemleak" ]; then
	tap_skip "memory is what it was" "kmemleak looks for leaks"
else
	check "memory is what it was" memory_steady
fi
plan
status=$?
echo "@@test end loads $status"
exit $status
