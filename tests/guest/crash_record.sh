# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
#
# Guest side of the crash test: loads on a volume whose disk is recorded.
#   crash_record.sh MARKS SEED SECONDS
# MARKS: where on the disk marks go, behind the volume.
. /job/lib.sh

mnt=/mnt/vexfs
marks=$1 seed=$2 secs=$3

load() {
	crashload "$1" "$2" "$mnt/$3" "$DISK0" "$marks" $((seed + $2)) "$secs" ||
		touch /tmp/failed
}

grep -q 'write back' "/sys/block/${DISK0##*/}/queue/write_cache" || {
	echo "# the disk has no write cache: nothing would be flushed"
	exit 1
}
mkdir -p $mnt
mount -t vexfs "$DISK0" $mnt || exit 1
mkdir $mnt/f0 $mnt/f1 $mnt/db $mnt/c || exit 1
sync
load files 0 f0 &
load files 1 f1 &
load db 2 db &
load coll 3 c &
wait
[ ! -e /tmp/failed ] || exit 1
umount $mnt || exit 1
rmmod vexfs
