# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086,SC2154,SC2317
#
# Guest side of the crash test: mounts every disk, each with a volume as a
# crash left it, reads everything, and unmounts.
. /job/lib.sh

mnt=/mnt/vexfs
mkdir -p $mnt

# A collection is opened, searched and closed again.
use() {
	find $mnt -type f -exec cat {} + >/dev/null || return
	[ ! -e $mnt/c/coll ] || vexctl info $mnt/c/coll >/dev/null || return
	echo new >$mnt/new && rm $mnt/new
}

recover() {
	mount -t vexfs "$1" $mnt || return
	use
	used=$?
	umount $mnt && [ $used = 0 ]
}

echo "@@test begin crash_mount"
i=0
while eval "disk=\${DISK$i:-}" && [ -n "$disk" ]; do
	check "disk $i recovers, is read and written" recover "$disk"
	i=$((i + 1))
done
plan
status=$?
echo "@@test end crash_mount $status"
exit $status
