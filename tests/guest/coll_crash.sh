# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034,SC2154
#
# Guest side of the crash test of collections: 20 times a reset in the middle
# of inserts and deletes, at another moment each time, then a look whether all
# that an fsync acknowledged is there, and the rest whole or not at all.
. /job/lib.sh

ROUNDS=${ROUNDS:-20}
mnt=/mnt/vexfs
tool=/job/selftests/coll_crash
round=$(state_get round)
round=${round:-0}

give_up() {
	echo "# $*"
	echo "@@test end coll_crash 1"
	exit 1
}

mkdir -p $mnt
if [ "$round" = 0 ]; then
	echo "@@test begin coll_crash"
	mkfs.vexfs -f "$DISK0" >/dev/null || give_up "mkfs.vexfs failed"
	mount -t vexfs "$DISK0" $mnt || give_up "not mounted"
	$tool create $mnt/c || give_up "no collection"
	sync
else
	[ ! -x /job/bin/fsck.vexfs ] || fsck.vexfs -n -f "$DISK0" >/tmp/fsck ||
		{ sed 's/^/# /' /tmp/fsck; give_up "fsck found something"; }
	mount -t vexfs "$DISK0" $mnt || give_up "not mounted after a reset"
	tap_n=$((round - 1))
	check "what was acknowledged is there after reset $round" \
		$tool verify $mnt/c "$STATE_DISK"
	[ "$tap_bad" = 0 ] || give_up "wrong after reset $round"
fi
if [ "$round" -lt "$ROUNDS" ]; then
	state_set round $((round + 1))
	$tool work $mnt/c "$STATE_DISK" &
	# 0.30 to 2.15 s, no two rounds alike
	ms=$((300 + round * 700 % 1850 + round * 3))
	sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
	crash
fi
umount $mnt || give_up "not unmounted"
rmmod vexfs || give_up "not unloaded"
plan
echo "@@test end coll_crash $?"
