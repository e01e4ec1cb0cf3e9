#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
#
# Guest side of "make bench-files": the same work on a vexfs and an ext4 volume
# in turn. Each measurement is a line "@@bench FILESYSTEM TEST UNIT VALUE".
# Environment: ROUNDS TESTS FIO_MB FIO_RANDOM_MB NAMES APPENDS DBENCH_SECS
# DBENCH_CLIENTS, BENCH_BUSY (set: idle time doesn't count).
. /job/lib.sh

# As udev does.
modprobe crc32c-intel

say_result() { echo "@@bench $fs $*"; }

# What is timed must not wait for what another test left behind.
settle() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
}

# Every job by itself, in this order; each pair is 4 KiB at random places of
# the file that was just written in order.
fio_jobs() {
	cat <<END
[global]
directory=$dir
ioengine=psync
thread=1
fallocate=none
end_fsync=1
invalidate=1
stonewall
randrepeat=1
overwrite=0
[seqwrite-4k]
exec_prerun=fileops mark /tmp/marks seqwrite-4k
exec_postrun=fileops mark /tmp/marks seqwrite-4k
filename=c
rw=write
bs=4k
size=${FIO_RANDOM_MB}m
[seqwrite]
exec_prerun=fileops mark /tmp/marks seqwrite
exec_postrun=fileops mark /tmp/marks seqwrite
filename=a
rw=write
bs=64k
size=${FIO_MB}m
[seqread]
exec_prerun=fileops mark /tmp/marks seqread
exec_postrun=fileops mark /tmp/marks seqread
filename=a
rw=read
bs=64k
size=${FIO_MB}m
[randwrite]
exec_prerun=fileops mark /tmp/marks randwrite
exec_postrun=fileops mark /tmp/marks randwrite
filename=a
rw=randwrite
bs=4k
size=${FIO_MB}m
io_size=${FIO_RANDOM_MB}m
[randread]
exec_prerun=fileops mark /tmp/marks randread
exec_postrun=fileops mark /tmp/marks randread
filename=a
rw=randread
bs=4k
size=${FIO_MB}m
io_size=${FIO_RANDOM_MB}m
[randwrite-sparse]
exec_prerun=fileops mark /tmp/marks randwrite-sparse
exec_postrun=fileops mark /tmp/marks randwrite-sparse
filename=d
rw=randwrite
bs=4k
filesize=${FIO_MB}m
io_size=${FIO_RANDOM_MB}m
[direct-seqwrite]
exec_prerun=fileops mark /tmp/marks direct-seqwrite
exec_postrun=fileops mark /tmp/marks direct-seqwrite
filename=b
rw=write
bs=64k
size=${FIO_MB}m
direct=1
[direct-seqread]
exec_prerun=fileops mark /tmp/marks direct-seqread
exec_postrun=fileops mark /tmp/marks direct-seqread
filename=b
rw=read
bs=64k
size=${FIO_MB}m
direct=1
[direct-randwrite]
exec_prerun=fileops mark /tmp/marks direct-randwrite
exec_postrun=fileops mark /tmp/marks direct-randwrite
filename=b
rw=randwrite
bs=4k
size=${FIO_MB}m
io_size=${FIO_RANDOM_MB}m
direct=1
[direct-randread]
exec_prerun=fileops mark /tmp/marks direct-randread
exec_postrun=fileops mark /tmp/marks direct-randread
filename=b
rw=randread
bs=4k
size=${FIO_MB}m
io_size=${FIO_RANDOM_MB}m
direct=1
END
}

# KiB and milliseconds of reading, then of writing, in terse output. What the
# file a program lays out first is written with is no measurement.
fio_rates() {
	awk -F';' -v busy="${BENCH_BUSY:-}" '
		BEGIN {
			while (busy && (getline line <"/tmp/marks") > 0) {
				split(line, f, " ")
				idle[f[1]] = f[3] - last[f[1]]
				last[f[1]] = f[3]
			}
		}
		$1 == 3 {
			if ($5) exit 1
			kib = $6 + $47; ms = $9 + $50 - 1000 * idle[$3]
			if (ms > 0) printf "fio-%s MiB/s %.3f\n", $3,
					   kib / 1.024 / ms
		}'
}

test_fio() {
	fio_jobs >/tmp/jobs
	rm -f /tmp/marks
	cd /tmp || return
	fio --output-format=terse --terse-version=3 /tmp/jobs >/tmp/fio.out ||
		{ cat /tmp/fio.out; return 1; }
	fio_rates </tmp/fio.out >/tmp/fio.values || return
	while read -r line; do say_result "$line"; done </tmp/fio.values
}

rates() {
	"$@" >/tmp/rates || return
	while read -r test value; do
		say_result "$test ops/s $value"
	done </tmp/rates
}

test_names() { rates fileops names "$dir" "$NAMES"; }
test_append() { rates fileops append "$dir" "$APPENDS"; }

test_tree() {
	rates fileops run untar "$dir" tar -xf /job/tree.tar -C "$dir" &&
		rates fileops run remove "$mnt" rm -rf "$dir/tree"
}

# dbench tells a rate by the clock: idle time is a share of it.
test_dbench() {
	rm -f /tmp/marks
	fileops mark /tmp/marks begin
	dbench -c /job/client.txt -D "$dir" -t "$DBENCH_SECS" \
		"$DBENCH_CLIENTS" >/tmp/dbench.out 2>&1 ||
		{ tail -n 20 /tmp/dbench.out; return 1; }
	fileops mark /tmp/marks end
	value=$(sed -n 's/^Throughput \([0-9.]*\) MB.*/\1/p' /tmp/dbench.out)
	[ -n "$value" ] || { tail -n 20 /tmp/dbench.out; return 1; }
	value=$(awk -v rate="$value" -v busy="${BENCH_BUSY:-}" '
		{ time = $2 - at; idle = $3 - was; at = $2; was = $3 }
		END { print busy ? rate * time / (time - idle) : rate }' \
		/tmp/marks)
	say_result "dbench MB/s $value"
}

measure() {
	fs=$1 mnt=/mnt/$1 dir=/mnt/$1/work
	mkdir "$dir" || return
	settle
	"test_$2" || { echo "not measured: $2 on $fs"; return 1; }
	rm -rf "$dir"
	sync
}

volumes_up() {
	mkdir -p /mnt/vexfs /mnt/ext4
	mkfs.vexfs "$DISK0" >/dev/null && mount -t vexfs "$DISK0" /mnt/vexfs &&
		mount -t ext4 "$DISK1" /mnt/ext4 || return
	grep -E ' /mnt/(vexfs|ext4) ' /proc/mounts
}

volumes_down() {
	umount /mnt/vexfs && umount /mnt/ext4 && fsck.vexfs -n -f "$DISK0"
}

run_all() {
	volumes_up || return
	round=0
	while [ $((round += 1)) -le "$ROUNDS" ]; do
		order="vexfs ext4"
		[ $((round % 2)) = 1 ] || order="ext4 vexfs"
		for t in $TESTS; do
			for f in $order; do
				measure "$f" "$t" || return
			done
		done
	done
	volumes_down
}

run_all
