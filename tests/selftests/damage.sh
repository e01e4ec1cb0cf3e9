# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Volumes with random damage are mounted, read and written: a few rounds of
# tests/fuzz. They are on a loop device in memory, made anew here.
store=/tmp/damage.store file=/tmp/damage.volume

damage_up() {
	modprobe loop 2>/dev/null
	mkdir -p /mnt/damage && truncate -s 97M $store &&
		truncate -s 32M $file && losetup /dev/loop7 $file
}

damage() {
	VEXFS_DEV=/dev/loop7 VEXFS_MNT=/mnt/damage \
		mountfuzz $store $file 20000 "$1"
}

check "a loop device in memory" damage_up
check "60 volumes with random damage" damage 60
check "the loop device is not in use" losetup -d /dev/loop7
plan
