#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Mounts volumes with random damage in guests, looks at all of them and changes
# them. Part of "make check-fuzz". The last line is "N passed, N failed", of
# rounds.
#
#   tests/fuzz/run.sh [-k KERNEL] [-n ROUNDS] [-s SEED] [-j GUESTS] [-m]
#                     [-M MODULE]
#
# KERNEL is one of tests/guest/run.sh's, uml among them. The sound volumes are
# kept in build/fuzz, so that a seed says all of what a round does; with -m
# they are made anew. A round that failed is repeated by -s SEED -n 1 -j 1.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh

kernel=${KERNEL:-6.12} rounds=${VEXFS_FUZZ:-5000} seed=1 guests=$(nproc)
module=""
OUT=$BUILD/fuzz
store=$OUT/volumes.img
while getopts k:n:s:j:mM: opt; do
	case $opt in
	k) kernel=$OPTARG ;;
	n) rounds=$OPTARG ;;
	s) seed=$OPTARG ;;
	j) guests=$OPTARG ;;
	m) rm -f "$store" ;;
	M) module=$OPTARG ;;
	*) exit 2 ;;
	esac
done

# run SEED ROUNDS: with a copy of the volumes of its own.
run() {
	local mine=$OUT/$kernel-$1

	cp --sparse=always "$store" "$mine.img"
	tests/guest/run.sh --name "fuzz-$kernel-$1" --kernel "$kernel" \
		--module "$module" --kmod loop --kmod quota_v2 \
		--smp 1 --disk "$mine.img" \
		--env "MOUNTFUZZ_SECS=$((60 * ${VEXFS_SLOW:-1}))" \
		--file "$OUT/mountfuzz" --file "$BUILD/bin/mkfs.vexfs" \
		--timeout 7200 --idle 300 --log "$mine.log" \
		--script tests/fuzz/guest.sh "$1" "$2" </dev/null 2>&1 |
		{ grep --line-buffered -E ': (# |ok |not ok|FAILED)' || true; }
}

# All guests are to have the same.
make_volumes() {
	[ ! -s "$store" ] || return 0
	truncate -s 97M "$store.new"
	cp --sparse=always "$store.new" "$store"
	run 0 1 || { rm -f "$store"; return 1; }
	mv "$OUT/$kernel-0.img" "$store"
	rm -f "$store.new"
}

# What a guest did: rounds, and those that failed. The last of its lines counts.
count() {
	sed -n 's/^  # \([0-9]*\) rounds: .*/\1/p' "$1" | tail -n 1
	grep -c '^  # FAIL seed' "$1" || true
}

mkdir -p "$OUT"
make -s tools fuzz-programs
module=${module:-$(tests/module.sh "$kernel")}
make_volumes
each=$(((rounds + guests - 1) / guests))
pids=() seeds=()
for ((i = 0; i < guests; i++)); do
	seeds+=($((seed + i * each)))
	run "${seeds[i]}" "$each" &
	pids+=($!)
done
passed=0 failed=0
for ((i = 0; i < guests; i++)); do
	ok=1
	wait "${pids[i]}" || ok=0
	mapfile -t n < <(count "$OUT/$kernel-${seeds[i]}.log")
	# A guest that failed for no round's sake is a failure all the same.
	[ "$ok" = 1 ] || [ "${n[1]:-0}" -gt 0 ] || n[1]=1
	# It may have failed before it counted any.
	[ "${n[0]:-0}" -ge "${n[1]:-0}" ] || n[0]=${n[1]}
	passed=$((passed + ${n[0]:-0} - n[1]))
	failed=$((failed + n[1]))
	rm -f "$OUT/$kernel-${seeds[i]}.img"
done
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
