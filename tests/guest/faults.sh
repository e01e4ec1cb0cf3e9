# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086,SC2154,SC2317
#
# The volume on a device that fails under load: one that takes and gives
# nothing any more, one that loses writes or refuses them for a second at a
# time, one with places that can't be read. Every process comes to its end, the
# volume can be unmounted, and when the device is whole again it is sound after
# fsck.vexfs and holds what had been promised.
. /job/lib.sh

# Nobody answers here when a device comes.
export DM_DISABLE_UDEV=1
mnt=/mnt/vexfs
vol=/dev/mapper/vol
acks=/dev/mapper/acks
mkfs=""
sectors=131072
files=/job/selftests/fault_load
coll=/job/selftests/coll_crash

# ------------------------------------------------------------- the device

# A table from standard input. What is on its way ends first, but nothing is
# frozen: the filesystem notices nothing.
table() {
	dmsetup load vol && sh -c "$swap"
}

swap="dmsetup suspend --noflush --nolockfs vol && dmsetup resume vol"

good() { echo "0 $sectors linear $DISK0 0" | table; }

dead() { echo "0 $sectors error" | table; }

# Seconds up, seconds down, and what it does then.
flaky() { echo "0 $sectors flakey $DISK0 0 $1 $2 1 $3" | table; }

# From one block on so many can't be read or written.
hole() {
	from=$(($1 * 8)) len=$(($2 * 8))
	table <<-END
	0 $from linear $DISK0 0
	$from $len error
	$((from + len)) $((sectors - from - len)) linear $DISK0 $((from + len))
	END
}

# As many from one block on can be read, but not written.
refuse_table() {
	from=$(($1 * 8)) len=$(($2 * 8))
	cat <<-END
	0 $from linear $DISK0 0
	$from $len flakey $DISK0 $from 0 1 1 error_writes
	$((from + len)) $((sectors - from - len)) linear $DISK0 $((from + len))
	END
}

refuse() { refuse_table "$@" | table; }

devices() {
	modprobe -a dm_mod dm_flakey &&
		echo "0 $sectors linear $DISK0 0" | dmsetup create vol &&
		echo "0 4096 linear $DISK0 $sectors" | dmsetup create acks
}

# ------------------------------------------------------------- the volume

fresh() {
	good && mkfs.vexfs -f $mkfs $vol >/dev/null &&
		dd if=/dev/zero of=$acks bs=1M count=2 2>/dev/null &&
		mount -t vexfs -o errors=$1 $vol $mnt &&
		mkdir $mnt/f0 $mnt/f1 && $coll create $mnt/c &&
		cp /tmp/safe $mnt/safe && sync
}

# At the latest when the journal is written: every five seconds, or now.
read_only() {
	touch $mnt/new 2>/dev/null && sync
	! touch $mnt/new 2>/dev/null && grep -q " $mnt vexfs ro" /proc/mounts
}

writable() { grep -q " $mnt vexfs rw" /proc/mounts; }

# Sound after fsck.vexfs with these options.
repaired() {
	fsck.vexfs "$@" $vol >/tmp/fsck 2>&1 || [ $? = 1 ] || {
		tail -n 20 /tmp/fsck | sed 's/^/# /'
		return 1
	}
	fsck.vexfs -n -f $vol >/tmp/fsck 2>&1 || {
		tail -n 20 /tmp/fsck | sed 's/^/# /'
		return 1
	}
}

promised() {
	cmp /tmp/safe $mnt/safe && $files verify $mnt/f0 /tmp/acks.f0 &&
		$files verify $mnt/f1 /tmp/acks.f1 &&
		$coll verify $mnt/c $acks
}

# Written, and read from the device.
usable() {
	dd if=/tmp/safe of=$mnt/usable bs=64k conv=fsync 2>/dev/null &&
		echo 3 >/proc/sys/vm/drop_caches && cmp /tmp/safe $mnt/usable
}

# From the fault to a volume as good as new: how fsck is called, and what has
# to be there.
recovers() {
	check "$1: unmount" umount $mnt
	good
	check "$1: sound after fsck.vexfs $2" repaired $2
	check "$1: mounts" mount -t vexfs $vol $mnt
	check "$1: $3 is there" $3
	check "$1: is written and read" usable
	check "$1: sound after that" sh -c "umount $mnt &&
		fsck.vexfs -n -f $vol >/dev/null"
}

# --------------------------------------------------------------- the load

load() {
	name=$1
	shift
	(timeout 60 "$@" >/tmp/out.$name 2>&1; echo $? >/tmp/status.$name) &
}

# Until the first error, or with "again" for so many seconds.
loads() {
	rm -f /tmp/status.* /tmp/out.* /tmp/acks.*
	load f0 $files $1 $mnt/f0 /tmp/acks.f0 $2
	load f1 $files $1 $mnt/f1 /tmp/acks.f1 $2
	load read $files read $mnt/safe $2
	load coll timeout $2 $coll work $mnt/c $acks
}

all_end() {
	n=0
	until [ "$(find /tmp -name 'status.*' | wc -l)" = 4 ]; do
		if [ $((n += 1)) -gt 300 ]; then
			find /tmp -name 'status.*'
			return 1
		fi
		sleep 0.1
	done
	cat /tmp/out.*
}

each_ends_with() {
	for name in f0 f1 read coll; do
		[ "$(cat /tmp/status.$name)" = $1 ] || return 1
	done
}

# ------------------------------------------------------------- what is tried

# Everything fails from one moment on.
dead_remount_ro() {
	t="dead device, errors=remount-ro"
	check "$t: volume" fresh remount-ro
	loads files 30
	sleep 2
	dead
	check "$t: every process ends" all_end
	check "$t: each with EIO or EROFS" each_ends_with 3
	check "$t: it is read-only" read_only
	check "$t: what is in memory is read" cmp /tmp/safe $mnt/safe
	recovers "$t" -p promised
}

# The journal has failed: nothing can be written, whatever the policy.
dead_continue() {
	t="dead device, errors=continue"
	check "$t: volume" fresh continue
	loads again 4
	sleep 2
	dead
	check "$t: every process ends" all_end
	check "$t: it is read-only" read_only
	check "$t: what is in memory is read" cmp /tmp/safe $mnt/safe
	recovers "$t" -p promised
}

# What was acknowledged is lost, journal or no journal; sound it has to be. That
# the volume was unmounted cleanly says nothing on such a device: -f.
drop_writes() {
	t="writes lost"
	check "$t: volume" fresh remount-ro
	flaky 1 1 drop_writes
	loads again 4
	sleep 3
	echo 3 >/proc/sys/vm/drop_caches
	check "$t: every process ends" all_end
	recovers "$t" "-y -f" true
}

# Who was told of no error has what was promised.
error_writes() {
	t="writes refused"
	check "$t: volume" fresh remount-ro
	flaky 1 1 error_writes
	loads again 4
	check "$t: every process ends" all_end
	recovers "$t" -p promised
}

lost() { dmesg | grep -c 'lost async page write'; }

many_names() { [ "$(find $mnt/d -type f | wc -l)" = 400 ]; }

# Metadata that are in the journal, and can't be written where they belong:
# what the disk has is old, and must not be taken for what there is.
error_writeback() {
	t="writeback refused"
	check "$t: volume" fresh remount-ro
	mkdir $mnt/d
	(cd $mnt/d && touch $(seq 1 400))
	# A commit, and unlike sync nothing more
	dd if=/tmp/safe of=$mnt/synced conv=fsync 2>/dev/null
	before=$(lost)
	flaky 0 1 error_writes
	blockdev --flushbufs $vol
	good
	check "$t: there was something to write" [ "$(lost)" != $before ]
	check "$t: names are as they were" many_names
	touch $mnt/d/1 $mnt/d/401 2>/dev/null
	check "$t: it is read-only" read_only
	recovers "$t" -p many_names
}

# It begins with its first block, and lies in one piece.
in_journal() {
	vexdump $vol journal | sed -n "s/^ *$1: *//p" | head -n 1
}

safe() { cmp /tmp/safe $mnt/safe; }

discards() {
	[ "$(cat /sys/block/dm-0/queue/discard_max_bytes)" != 0 ]
}

# What was freed, but not durably, must not be discarded: it is a file's again
# when the journal has been replayed.
freed() {
	t="journal can't be written, with discard"
	check "$t: volume" fresh remount-ro
	at=$(in_journal at_block) blocks=$(in_journal blocks)
	check "$t: the device discards" discards
	mount -o remount,discard $mnt
	refuse $at $blocks
	rm $mnt/safe
	sync
	check "$t: it is read-only" read_only
	# Discards are another's work.
	sleep 1
	recovers "$t" -p safe
}

# The block where the first extent of a file begins.
first_block() {
	vexdump $vol extents $1 | sed -n 's/^[ -]*physical: *//p' | head -n 1
}

in_group() { vexdump $vol group 0 | sed -n "s/^ *$1: *//p"; }

fails_with_eio() {
	! "$@" >/tmp/eio.out 2>/tmp/eio &&
		grep -q 'Input/output error' /tmp/eio && return
	sed 's/^/# /' /tmp/eio
	return 1
}

# Mounted, with so many blocks from one on gone.
with_hole() {
	hole $1 $2 && mount -t vexfs -o errors=$3 $vol $mnt
}

holes_volume() {
	fresh remount-ro && cp /tmp/safe $mnt/other && mkdir $mnt/d &&
		(cd $mnt/d && touch $(seq 1 400)) && umount $mnt
}

hole_in_data() {
	t="file can't be read"
	check "$t: mounts" with_hole "$(first_block /safe)" 4 remount-ro
	check "$t: EIO" fails_with_eio dd if=$mnt/safe of=/dev/null
	check "$t: another can be" cmp /tmp/safe $mnt/other
	check "$t: and written" usable
	check "$t: no reason to be read-only" writable
	recovers "$t" -p many_names
}

hole_in_directory() {
	t="directory can't be read"
	check "$t: mounts" with_hole "$at" 1 continue
	check "$t: EIO" fails_with_eio stat $mnt/d/7
	check "$t: a file can be" cmp /tmp/safe $mnt/other
	check "$t: and written, with errors=continue" usable
	umount $mnt
	check "$t: fsck.vexfs says so" fails_fsck
	check "$t: mounts again" mount -t vexfs \
		-o errors=remount-ro $vol $mnt
	check "$t: EIO again" fails_with_eio stat $mnt/d/7
	check "$t: a file can be again" cmp /tmp/safe $mnt/other
	check "$t: read-only, with errors=remount-ro" read_only
	recovers "$t" -p many_names
}

fails_fsck() {
	fsck.vexfs -n -f $vol >/tmp/fsck 2>&1
	[ $? = 4 ] || [ $? = 8 ]
}

# Numbers of inodes from one on, of 16 to a block.
inode_block() {
	ino=$(vexdump $vol inode $1 | sed -n 's/^ *number: *//p')
	echo $(($(in_group inode_table_at) + (ino - 1) / 16))
}

hole_in_inodes() {
	t="inodes can't be read"
	check "$t: mounts" with_hole "$at" 1 continue
	check "$t: EIO" fails_with_eio stat $mnt/d/200
	check "$t: a file can be" cmp /tmp/safe $mnt/other
	check "$t: and written" usable
	recovers "$t" -p many_names
}

hole_in_bitmap() {
	t="bitmap can't be read"
	check "$t: mounts" with_hole "$at" 1 continue
	check "$t: EIO" fails_with_eio cp /tmp/safe $mnt/new
	check "$t: a file can be read" cmp /tmp/safe $mnt/other
	recovers "$t" -p many_names
}

# The journal can say that it failed, and that is all that can be written of it.
unsynced() {
	t="journal can't be written, and then synced"
	check "$t: volume" fresh remount-ro
	at=$(in_journal at_block) blocks=$(in_journal blocks)
	refuse_table $((at + 1)) $((blocks - 1)) | dmsetup load vol
	check "$t: nobody is told that it is safe" $files sync $mnt/new "$swap"
	check "$t: it is read-only" read_only
	recovers "$t" -p safe
}

# What there is of the vector area is counted at mount, which can do without.
# (dd tries once; cp would again, and be told of a read-only volume.)
hole_in_vector_bitmap() {
	t="bitmap of the vector area can't be read"
	mkfs=-V
	check "$t: a volume with files" holes_volume
	mkfs=""
	at=$(in_group bitmap_at)
	check "$t: mounts" with_hole "$at" 1 remount-ro
	check "$t: no reason to be read-only" writable
	check "$t: EIO" fails_with_eio dd if=/tmp/safe of=$mnt/new bs=64k
	check "$t: read-only" read_only
	check "$t: a file can be read" cmp /tmp/safe $mnt/other
	recovers "$t" -p many_names
}

holes() {
	check "a volume with files" holes_volume
	hole_in_data
	at=$(first_block /d) hole_in_directory
	at=$(inode_block /d/200) hole_in_inodes
	at=$(in_group bitmap_at) hole_in_bitmap
	hole_in_vector_bitmap
}

echo "@@test begin faults"
mkdir -p $mnt
dd if=/dev/urandom of=/tmp/safe bs=64k count=8 2>/dev/null
check "a device to break" devices
[ $# -gt 0 ] || set -- dead_remount_ro dead_continue drop_writes error_writes \
	error_writeback freed unsynced holes
for what; do
	begin=$(cut -d. -f1 /proc/uptime)
	$what
	echo "# $what: $(($(cut -d. -f1 /proc/uptime) - begin)) s"
done
dmsetup remove vol
dmsetup remove acks
plan
status=$?
echo "@@test end faults $status"
rmmod vexfs
exit $status
