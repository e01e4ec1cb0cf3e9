#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2086
#
# The demo, inside the guest: real word embeddings go into a collection on a
# VexFS volume, are searched, and are searched again after a remount. Every
# claim it prints is checked; the first that fails ends it.

dir=/job/demo/glove20k
words=$dir/words.txt
data=$dir/vectors.npy
mnt=/mnt/vexfs
coll=$mnt/words.vex
shown="king paris computer guitar doctor coffee"
queries=200
exact_queries=50

title() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
run() { echo "\$ $*"; "$@" || fail "'$1' failed with status $?"; }
fail() { echo "demo: $*"; exit 1; }

counter() { sed -n "s/^$1: *//p" /proc/vexfs/stats; }

# The words, six neighbours each (the word itself is the first), as a table.
neighbours() {
	args=
	for w in $shown; do
		args="$args --name $w"
	done
	vexctl search "$coll" -k 7 --names "$words" $args >/tmp/found ||
		fail "the search failed"
	awk '
		/^[^ ]/ { if (row) print row; row = sprintf("  %-10s", $1); n = 0 }
		/^ / && n++ { row = row sprintf(" %-13s %.3f ", $4, $3) }
		END { print row }' /tmp/found
	for w in $shown; do
		grep -qx "$w" /tmp/found || fail "no answer for $w"
	done
}

recall() {
	vexctl search "$coll" "$data" --limit $queries --recall --quiet \
		--json >/tmp/recall || fail "the search failed"
	sed -n 's/.*"recall": \([0-9.]*\).*/\1/p' /tmp/recall
}

at_least() { awk "BEGIN { exit !($1 >= $2) }"; }

# Exact search and the reference agree when every id of every answer does.
exact_check() {
	vexctl search "$coll" "$data" --exact --skip 5000 \
		--limit $exact_queries --json >/tmp/exact ||
		fail "the exact search failed"
	sed 's/^{"query": \([0-9]*\)/\1:/; s/"id": \([0-9]*\)/@\1@/g' \
		/tmp/exact | awk -F@ '{ split($1, q, ":"); row = q[1] ":"
			for (i = 2; i <= NF; i += 2) row = row " " $i
			print row }' >/tmp/exact.ids
	brute "$data" "$data" cosine 10 5000 $exact_queries >/tmp/brute.ids
	[ "$(wc -l </tmp/brute.ids)" = $exact_queries ] ||
		fail "the reference gave no answers"
	cmp /tmp/exact.ids /tmp/brute.ids ||
		fail "exact search differs from the reference"
}

title "Format, load, mount"
run mkfs.vexfs -V -D 100 -L Demo "$DISK0"
run modprobe vexfs
mkdir -p $mnt
run mount -t vexfs "$DISK0" $mnt
dmesg | grep -i vexfs | sed 's/^\[[^]]*\] /  /'

# The processor is emulated, some 40 times slower than a real one: fewer
# candidates while building than the default of 200.
title "Import $(wc -l <$words) words of 100 dimensions"
run vexctl import $coll $data --metric cosine --first-id 0 \
	--ef-construction 64
run vexctl info $coll
info=$(vexctl info $coll --json)
case $info in
*'"count": 20000,'*'"pending": 0,'*) ;;
*) fail "20000 vectors and none pending were expected: $info" ;;
esac

title "Nearest words, cosine distance"
neighbours
cp /tmp/found /tmp/found.before

title "Recall at the default ef, and exact search against a reference"
r=$(recall)
echo "  recall@10 over $queries queries: $r"
at_least "$r" 0.97 || fail "recall@10 is $r, below 0.97"
exact_check
echo "  $exact_queries exact searches: the ids of a brute-force computation outside the kernel"

title "What /proc/vexfs says"
grep -E '^(insert|search|index|commit)' /proc/vexfs/stats |
	sed 's/^/  /'
[ "$(counter insert_vectors)" = 20000 ] ||
	fail "/proc/vexfs/stats does not count 20000 inserted vectors"
sed 's/^/  /' /proc/vexfs/simd_stats

title "Unmount, mount, search again"
run umount $mnt
run mount -t vexfs "$DISK0" $mnt
neighbours
cmp /tmp/found /tmp/found.before || fail "the answers changed"
echo "  the same answers"
info=$(vexctl info $coll --json)
case $info in
*'"rebuilt": 0,'*) echo "  the index was loaded, not built again" ;;
*) fail "the index was built again: $info" ;;
esac
r=$(recall)
echo "  recall@10 over $queries queries: $r"
at_least "$r" 0.97 || fail "recall@10 is $r after the remount"

title "Unmount, unload"
run umount $mnt
run rmmod vexfs
if [ -x /job/bin/fsck.vexfs ]; then
	run fsck.vexfs -n -f "$DISK0"
fi
[ ! -e /proc/vexfs ] || fail "/proc/vexfs is still there"
echo
echo "The demo is complete."
