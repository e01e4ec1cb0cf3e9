#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make bench-files": vexfs beside ext4, in turn, in one guest on disks of one
# kind and size; writes build/bench-files.json and prints a table.
#
#   BENCH=smoke      about two minutes; enough to see a regression
#   BENCH=full       the sizes of the documentation (the default)
#
#   ROUNDS=3                        how often; medians are compared
#   TESTS="fio names append tree dbench"
#   BENCH_DISKS=DIR                 where the disks are: sparse raw files
#   BENCH_CLOCK=real                the host's time, not instructions
#
# Without KVM the guest's time is counted in instructions, a fixed number to
# the second (QEMU's -icount), since on a host that does other things too
# nothing else can be compared; and the time in which the guest waits for its
# disk, which passes as it does on the host, doesn't count.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh

KERNEL=${KERNEL:-6.12}
# Both filesystems' default journal is 64 MiB at this size.
DISK_SIZE=6400M
# 2^2 ns, 250 million instructions a second.
ICOUNT_SHIFT=2
out=$BUILD/bench-files
json=${BENCH_JSON:-$BUILD/bench-files.json}

# The guest gets them by their names.
# shellcheck disable=SC2034
sizes() {
	case ${BENCH:-full} in
	smoke)
		ROUNDS=${ROUNDS:-1} FIO_MB=32 FIO_RANDOM_MB=8 NAMES=8000
		APPENDS=300 DBENCH_SECS=3 DBENCH_CLIENTS=4 tree=include/uapi ;;
	full)
		ROUNDS=${ROUNDS:-3} FIO_MB=128 FIO_RANDOM_MB=32 NAMES=100000
		APPENDS=2000 DBENCH_SECS=10 DBENCH_CLIENTS=4 tree= ;;
	*) die "BENCH=smoke or full" ;;
	esac
	TESTS=${TESTS:-fio names append tree dbench}
	disks=${BENCH_DISKS:-$out}
	[ -n "${BENCH_DISKS:-}" ] || ! on_tmpfs /dev/shm || disks=/dev/shm
}

# Room for what the tests write, twice.
on_tmpfs() {
	[ "$(stat -f -c %T "$1" 2>/dev/null)" = tmpfs ] &&
		[ "$(df --output=avail -m "$1" | tail -n 1)" -gt 8192 ]
}

prepare() {
	tests/deps.sh build guest files
	tests/fetch.sh busybox
	tests/fetch.sh kernel "$KERNEL"
	mkdir -p "$out" "$disks"
	make -s tools bench-files-programs
	make_tree
}

# The tree is one that is here anyway: the kernel's headers.
make_tree() {
	local src

	src=$(kdir_of "$(release_of "$KERNEL")")
	src=${src%-cloud-amd64}-common
	rm -rf "$out/tree"
	mkdir -p "$out/tree"
	cp -a "$src/$tree" "$out/tree/"
	tar -cf "$out/tree.tar" -C "$out" --sort=name --owner=0 --group=0 tree
	rm -rf "$out/tree"
}

# Nothing may be left to ext4 to do in the background later.
make_disks() {
	vexfs_img=$disks/vexfs-bench-$$.img ext4_img=$disks/ext4-bench-$$.img
	trap 'rm -f "$vexfs_img" "$ext4_img"' EXIT
	truncate -s "$DISK_SIZE" "$vexfs_img" "$ext4_img"
	mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 \
		"$ext4_img"
	say "disks: $DISK_SIZE each, sparse raw files in $disks, cache=unsafe, NVMe"
}

guest() {
	local clock=() f

	[ "${BENCH_CLOCK:-}" = real ] || [ "${VEXFS_ACCEL:-tcg}" != tcg ] ||
		clock=(--qemu "-icount shift=$ICOUNT_SHIFT"
		       --append "tsc_early_khz=1000000" --env BENCH_BUSY=1)
	for f in ROUNDS TESTS FIO_MB FIO_RANDOM_MB NAMES APPENDS DBENCH_SECS \
		 DBENCH_CLIENTS; do
		clock+=(--env "$f=${!f}")
	done
	tests/guest/run.sh --name bench-files --kernel "$KERNEL" --module auto \
		--smp 1 --mem 2G --kmod crc32c-intel \
		--timeout "${BENCH_TIMEOUT:-7200}" --idle 900 \
		--disk "$vexfs_img" --disk "$ext4_img" --log "$out/guest.log" \
		--file "$BUILD/bin/mkfs.vexfs" --file "$BUILD/bin/fsck.vexfs" \
		--file "$out/fileops" --file "$(command -v fio)" \
		--file "$(command -v dbench)" --file "$out/tree.tar" \
		--file "$(client_txt):/job/client.txt" "${clock[@]}" \
		--script bench/files/guest.sh
}

client_txt() {
	dpkg -L dbench | grep '/client\.txt' | head -n 1
}

main() {
	local status=0

	sizes
	prepare
	make_disks
	guest || status=$?
	python3 bench/files/report.py "$out/guest.log" "$json" || status=1
	exit $status
}

main
