#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make check-crash": records what the module writes in a guest under loads,
# tries crashes of it on the host, mounts some of the states in a guest. The
# last line is "N crash points, M bad".
#
#   tests/crash/run.sh [-k KERNEL] [-n POINTS] [-t SECONDS] [-s SEED]
#                      [-i IMAGES] [-B WHAT]
#
# With -B the module is built with a fault first, to see that the test finds
# it: "barrier" (the journal doesn't flush the disk), "fsync" (fsync doesn't)
# or "checksum" (a collection's header keeps its old one).
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh

kernel=${KERNEL:-6.12} points=3000 secs=40 seed=1 images=6 module=auto
break=""
while getopts k:n:t:s:i:B: opt; do
	case $opt in
	k) kernel=$OPTARG ;;
	n) points=$OPTARG ;;
	t) secs=$OPTARG ;;
	s) seed=$OPTARG ;;
	i) images=$OPTARG ;;
	B) break=$OPTARG ;;
	*) exit 2 ;;
	esac
done

OUT=$BUILD/crash/$kernel${break:+-$break}
MIB=64
bytes=$((MIB << 20))
check=$BUILD/crash/crashcheck

# The fault as an edit of one source file.
fault() {
	case $break in
	barrier)
		file=journal.c
		edit='s/j_flags |= JBD2_BARRIER/j_flags \&= ~JBD2_BARRIER/' ;;
	fsync)
		file=fsync.c
		edit='s/^\tif (!flush)$/\tif (flush || !flush)/' ;;
	checksum)
		file=coll_commit.c
		edit='/vexfs_meta_csum(/d' ;;
	*) die "no such fault: $break" ;;
	esac
}

# In the place of the good module's objects, of which one is made anew.
broken_module() {
	local dir rel ok=0

	fault
	tests/module.sh "$kernel" >/dev/null
	rel=$(release_of "$kernel")
	dir=$BUILD/module/$rel/fs/vexfs
	sed "$edit" "fs/vexfs/$file" >"$OUT/$file"
	! cmp -s "fs/vexfs/$file" "$OUT/$file" || die "$file is as it was"
	ln -sf "$OUT/$file" "$dir/$file"
	tests/module.sh "$kernel" >/dev/null || ok=1
	cp "$dir/vexfs.ko" "$OUT/vexfs.ko" || ok=1
	ln -sf "$TOP/fs/vexfs/$file" "$dir/$file"
	rm -f "$dir/${file%.c}.o"
	module=$OUT/vexfs.ko
	return $ok
}

record() {
	# Room for marks behind the volume
	rm -f "$OUT"/*.img
	rm -f "$OUT/disk"
	truncate -s $((bytes + (1 << 20))) "$OUT/disk"
	"$BUILD/bin/mkfs.vexfs" -i 65536 "$OUT/disk" $((bytes / 4096)) \
		>"$OUT/mkfs.txt"
	cp --sparse=always "$OUT/disk" "$OUT/before"
	tests/guest/run.sh --name "crash-$kernel" --quiet --kernel "$kernel" \
		--module "$module" --record "$OUT/log" --disk "$OUT/disk" \
		--file "$BUILD/crash/crashload" \
		--timeout $((secs + 200)) --idle $((secs + 100)) \
		--log "$OUT/record.txt" --script tests/guest/crash_record.sh \
		"$bytes" "$seed" "$secs" || {
		tail -n 30 "$OUT/record.txt"
		die "nothing was recorded"
	}
	sed -n 's/^  # /# /p' "$OUT/record.txt"
}

# The states that were saved: mounted there, and then checked here once more.
mounted() {
	local f args=()

	for f in "$OUT"/*.img; do
		[ -e "$f" ] || return 0
		args+=(--disk "$f")
	done
	tests/guest/run.sh --name "crash-mount-$kernel" --quiet \
		--kernel "$kernel" --module "$module" "${args[@]}" \
		--file "$BUILD/bin/vexctl" --timeout 300 \
		--log "$OUT/mount.txt" --script tests/guest/crash_mount.sh || {
		tail -n 30 "$OUT/mount.txt"
		return 1
	}
	"$check" "$OUT/before" "$OUT/log" "$OUT"/*.img >"$OUT/mounted.txt" || {
		cat "$OUT/mounted.txt"
		return 1
	}
	say "# $(tail -n 1 "$OUT/mounted.txt") after a mount in a guest"
}

mkdir -p "$OUT"
make -s tools crash-programs
[ -z "$break" ] || broken_module
record
status=0
"$check" -n "$points" -s "$seed" -S "$OUT" -c "$images" "$OUT/before" \
	"$OUT/log" >"$OUT/points.txt" || status=1
sed '$d' "$OUT/points.txt"
[ $status != 0 ] || mounted || status=1
rm -f "$OUT"/*.img "$OUT/disk"
tail -n 1 "$OUT/points.txt"
exit $status
