# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# A collection across unmounting: the same contents, and an index that is
# loaded, not made again. And what a read-only mount allows.
# Needs $VEXFS_DEV mounted on $VEXFS_MNT.
. /job/lib.sh

coll=$VEXFS_MNT/words
words=/job/vectors.npy
[ -r "$words" ] || { echo "1..0 # SKIP no vectors"; exit 0; }

field() { vexctl info "$coll" --json | sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p"; }

# Everything that can be seen of it.
contents() {
	md5sum <"$coll"
	vexctl list "$coll" | md5sum
	vexctl get "$coll" 0 17 999 | md5sum
	vexctl search "$coll" --id 5 -k 20
	vexctl search "$coll" --id 321 -k 20 --exact
	echo "$(field count) $(field slots) $(field next_id)"
}

again() {
	umount "$VEXFS_MNT" && mount -t vexfs "$@" "$VEXFS_DEV" "$VEXFS_MNT"
}

loaded() {
	[ "$(field rebuilt)" = 0 ] && [ "$(field pending)" = 0 ] &&
		[ "$(field indexed)" = "$(field count)" ]
}

# Writes that the disk has seen.
written() {
	awk '{ print $5, $7 }' "/sys/block/${VEXFS_DEV##*/}/stat"
}

same() {
	contents >/tmp/now
	diff /tmp/before /tmp/now
}

# $1: what must be in the message, then a command that has to fail.
refused() {
	why=$1
	shift
	! "$@" 2>/tmp/refused || return 1
	grep -qi "$why" /tmp/refused || { sed 's/^/# /' /tmp/refused; return 1; }
}

# Several are loaded at the same moment; each has rows to take in.
side_by_side() {
	for i in 1 2 3 4 5 6; do
		vexctl import "$VEXFS_MNT/side$i" "$words" --limit 40 \
			>/dev/null &
	done
	wait
}

check "import" vexctl import "$coll" "$words" --metric cosine --limit 1200
vexctl delete "$coll" 100 101 102 >/dev/null
vexctl wait "$coll" >/dev/null
contents >/tmp/before
check "there is something to compare" [ "$(wc -l </tmp/before)" -gt 40 ]
for round in 1 2 3; do
	check "unmount and mount, round $round" again
	check "the index was loaded" loaded
	check "the contents are the same" same
done

# The same with hash tables.
hashes=$VEXFS_MNT/hashes
check "import, LSH" vexctl import "$hashes" "$words" --metric cosine \
	--index lsh --recall 0.9 --limit 3000
vexctl search "$hashes" --id 5 -k 10 >/tmp/hashes
check "unmount and mount" again
check "the sketches were loaded" \
	[ "$(coll=$hashes field rebuilt)" = 0 ]
check "all of them" [ "$(coll=$hashes field indexed)" = 3000 ]
vexctl search "$hashes" --id 5 -k 10 >/tmp/hashes.now
check "and find the same" diff /tmp/hashes /tmp/hashes.now
rm "$hashes"

check "mount read-only" again -o ro
check "the index was loaded" loaded
check "the contents are the same" same
before=$(written)
check "no insert" refused "read-only" vexctl import "$coll" "$words" --limit 1
check "no delete" refused "read-only" vexctl delete "$coll" 7
check "the contents are the same" same
check "nothing was written to the disk" [ "$before" = "$(written)" ]

check "remount writable" mount -o remount,rw "$VEXFS_MNT"
check "delete" vexctl delete "$coll" 7
check "and it is gone" refused "" vexctl get "$coll" 7
check "remount read-only with a collection loaded" \
	mount -o remount,ro "$VEXFS_MNT"
contents >/tmp/before
check "search while read-only" same
check "remount writable again" mount -o remount,rw "$VEXFS_MNT"
check "import goes on" vexctl import "$coll" "$words" --limit 50
vexctl wait "$coll" >/dev/null
contents >/tmp/before
check "unmount and mount" again
check "the index was loaded" loaded
check "the contents are the same" same
for round in 1 2 3; do
	side_by_side
	check "all are unloaded, round $round" again
done
check "and have what they were given" \
	[ "$(coll=$VEXFS_MNT/side6 field count)" = 120 ]
plan
