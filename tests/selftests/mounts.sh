# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Mounting: read-only devices, norecovery, what the superblock remembers, and
# attributes and orphans across it. Needs $VEXFS_DEV mounted on $VEXFS_MNT.
. /job/lib.sh

# For a command that is to fail.
refused() { ! "$@" 2>/dev/null; }

mount_writes() {
	mount -t vexfs -o rw "$VEXFS_DEV" "$VEXFS_MNT" && touch "$VEXFS_MNT/x"
}

again() {
	umount "$VEXFS_MNT" && mount -t vexfs "$@" "$VEXFS_DEV" "$VEXFS_MNT"
}

readonly_device() {
	echo "$1" >"/sys/block/${VEXFS_DEV##*/}/force_ro" 2>/dev/null ||
		blockdev "$([ "$1" = 1 ] && echo --setro || echo --setrw)" \
			"$VEXFS_DEV"
}

# s_last_mounted is at byte 424 of the superblock.
last_mounted() {
	dd if="$VEXFS_DEV" bs=1 skip=$((1024 + 424)) count=64 2>/dev/null |
		tr -d '\000'
}

echo "some text" >"$VEXFS_MNT/file"
check "unmount and mount" again
check "the superblock says where" [ "$(last_mounted)" = "$VEXFS_MNT" ]

umount "$VEXFS_MNT"
check "the device becomes read-only" readonly_device 1
check "no mount for writing" \
	refused mount_writes
umount "$VEXFS_MNT" 2>/dev/null
check "a mount for reading" mount -t vexfs -o ro "$VEXFS_DEV" "$VEXFS_MNT"
check "and the file" grep -q "some text" "$VEXFS_MNT/file"
umount "$VEXFS_MNT"
check "the device becomes writable" readonly_device 0

check "norecovery needs ro" \
	refused mount -t vexfs -o norecovery "$VEXFS_DEV" "$VEXFS_MNT"
check "norecovery" mount -t vexfs -o ro,norecovery "$VEXFS_DEV" "$VEXFS_MNT"
check "it is shown" grep -q "$VEXFS_MNT vexfs .*norecovery" /proc/mounts
check "and the file" grep -q "some text" "$VEXFS_MNT/file"
check "no remount for writing" \
	refused mount -o remount,rw "$VEXFS_MNT"
check "unmount and mount" again
check "options" mount -o remount,discard,noacl "$VEXFS_MNT"
check "are shown" grep -q "$VEXFS_MNT vexfs .*discard,noacl" /proc/mounts
check "an unknown option is refused" \
	refused mount -o remount,nosuchthing "$VEXFS_MNT"
check "writing still works" touch "$VEXFS_MNT/y"
plan
