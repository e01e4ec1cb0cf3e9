# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154,SC2317
#
# Guest side of tests/fuzz/run.sh: mountfuzz on a loop device in memory, its
# sound volumes on $DISK0. Arguments: the first seed, and how many.
. /job/lib.sh

seed=$1 rounds=$2 before=""
# After these nothing more is to be left.
warm=60
export VEXFS_DEV=/dev/loop0 VEXFS_MNT=/mnt/vexfs

# At most as much of its own for each round as is no page, and what caches
# sway by. Where allocations are kept account of, kmemleak looks.
memory_steady() {
	echo 3 >/proc/sys/vm/drop_caches
	now=$(unreclaimable)
	echo "# memory: $before KiB before, $now KiB after"
	[ -e "$kmemleak" ] || [ $((now - before)) -lt $((2048 + rounds)) ]
}

volume_up() {
	modprobe loop 2>/dev/null
	modprobe vexfs && mkdir -p "$VEXFS_MNT" &&
		truncate -s 32M /tmp/volume && losetup "$VEXFS_DEV" /tmp/volume &&
		echo on >/proc/sys/kernel/printk_devkmsg
}

fuzz() { mountfuzz "$DISK0" /tmp/volume "$@"; }

echo "@@test begin mountfuzz"
check "a loop device in memory" volume_up
if [ "$rounds" -ge 500 ]; then
	check "rounds to warm up" fuzz "$seed" $warm
	echo 3 >/proc/sys/vm/drop_caches
	before=$(unreclaimable)
fi
check "$rounds rounds from seed $seed" fuzz "$seed" "$rounds"
[ -z "$before" ] || check "memory is what it was" memory_steady
# With the module still there, since what it leaks may be found in its data.
check "nothing has leaked" no_leaks
check "the module unloads" rmmod vexfs
plan
status=$?
echo "@@test end mountfuzz $status"
exit $status
