# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Guest side of "make selftests": runs each program of /job/selftests (or those
# named as arguments) on a volume of its own, mounted at $VEXFS_MNT on
# $VEXFS_DEV, and prints their TAP between marks that the host counts by.
# Environment: MKFS_OPTS, SELFTEST_SECS.
. /job/lib.sh

export VEXFS_DEV="$DISK0" VEXFS_MNT=/mnt/vexfs
mkdir -p "$VEXFS_MNT"

mounted() { grep -q " $VEXFS_MNT vexfs " /proc/mounts; }

volume_up() {
	# shellcheck disable=SC2086
	mkfs.vexfs -f $MKFS_OPTS "$VEXFS_DEV" >/tmp/mkfs.out 2>&1 ||
		{ sed 's/^/# /' /tmp/mkfs.out; return 1; }
	mount -t vexfs "$VEXFS_DEV" "$VEXFS_MNT"
}

users_of_volume() {
	for pid in $(fuser -m "$VEXFS_MNT"); do
		echo "$pid ($(tr '\0' ' ' <"/proc/$pid/cmdline"))"
	done
}

# Not only unmounted: sound.
volume_down() {
	if mounted && ! umount "$VEXFS_MNT"; then
		echo "in use by: $(users_of_volume)"
		return 1
	fi
	[ ! -x /job/bin/fsck.vexfs ] || fsck.vexfs -n -f "$VEXFS_DEV"
}

# busybox's timeout leaves a process behind for a second, in the folder it was
# started in: not the volume.
# shellcheck disable=SC2016
run_program() {
	(cd /tmp && exec timeout "${SELFTEST_SECS:-600}" \
		sh -c 'cd "$VEXFS_MNT" && exec "$1"' run "$1")
}

run_one() {
	test=$1
	echo "@@test begin ${test##*/}"
	if volume_up; then
		case $test in
		*.sh) (cd /tmp && . "$test") ;;
		*) run_program "$test" ;;
		esac
		status=$?
	else
		echo "# no volume for ${test##*/}"
		status=1
	fi
	volume_down >/tmp/down.out 2>&1 || {
		sed 's/^/# /' /tmp/down.out
		echo "# not unmounted, or not clean afterwards"
		status=1
	}
	rm -rf /tmp/*
	echo "@@test end ${test##*/} $status"
}

# mount(2) has to find the module by its alias; nothing may be left after it.
load_and_unload() {
	echo "@@test begin module"
	check "mount loads the module by its alias" volume_up
	check "unmount" volume_down
	check "the module unloads" rmmod vexfs
	check "nothing is left in /proc" [ ! -e /proc/vexfs ]
	check "the module loads" modprobe vexfs
	plan
	echo "@@test end module $?"
}

load_and_unload
if [ $# -gt 0 ]; then
	for t; do run_one "/job/selftests/$t"; done
else
	for t in /job/selftests/*; do
		case $t in *.h) ;; *) run_one "$t" ;; esac
	done
fi
# With the module still there, since what it leaks may be found in its data.
no_leaks && rmmod vexfs
