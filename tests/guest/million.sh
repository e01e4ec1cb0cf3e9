#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086,SC2154,SC2317
#
# Guest side of "make check-stress", the part "million": a directory with a
# million names (NAMES), and what it takes to make, read, check and remove it.
. /job/lib.sh

mnt=/mnt/vexfs
names=${NAMES:-1000000}
mkdir -p $mnt

# timed NAME COMMAND...: a test, and the seconds it took.
timed() {
	timed_name=$1
	shift
	begin=$(cut -d. -f1 /proc/uptime)
	check "$timed_name" "$@"
	echo "# $timed_name: $(($(cut -d. -f1 /proc/uptime) - begin)) s"
}

volume_up() {
	mkfs.vexfs -f -i 3072 "$DISK0" >/dev/null &&
		mount -t vexfs "$DISK0" $mnt && mkdir $mnt/dir
}

sound() {
	fsck.vexfs -n -f "$DISK0" >/tmp/fsck.out 2>&1 && return
	sed 's/^/# /' /tmp/fsck.out
	return 1
}


echo "@@test begin million"
check "a volume with room for the names" volume_up
used=$(df -k $mnt | awk 'END { print $3 }')
timed "$names names are made in one directory" \
	stressnames create $mnt/dir "$names"
# shellcheck disable=SC2012
echo "# the directory: $(ls -ldn $mnt/dir | awk '{ print $5 }') bytes"
timed "each is listed once and found" stressnames list $mnt/dir "$names"
timed "unmounted" umount $mnt
timed "sound with them" sound
timed "mounted" mount -t vexfs "$DISK0" $mnt
timed "each is listed once and found, from the disk" \
	stressnames list $mnt/dir "$names"
timed "all are removed" stressnames unlink $mnt/dir "$names"
check "the directory is empty" rmdir $mnt/dir
sync
check "their space is free again" \
	[ "$(df -k $mnt | awk 'END { print $3 }')" -le "$used" ]
check "unmounted" umount $mnt
timed "sound without them" sound
plan
status=$?
echo "@@test end million $status"
exit $status
