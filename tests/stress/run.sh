#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make check-stress": stress-ng, fio with verification, collections and a full
# volume, all at once, on each kernel; a directory of a million names and a
# volume of 1.8 TiB on the last one. The last line is "N passed, N failed".
#
#   KERNELS="6.1 6.12"           uml is the debug kernel
#   STRESS_SECS=600              of load, on each kernel
#   PARTS="stress million huge"  what to run
#   STRESS_GROUPS="names data"   only these groups of tests/stress/stressors
#   STRESS_SEED=1
#   GUESTS=2                     that run side by side
#   STRESS_DISKS=DIR             where the disks are: sparse files
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit
. tests/lib.sh

KERNELS=${KERNELS:-$KERNELS_ALL}
PARTS=${PARTS:-stress million huge}
STRESS_SECS=${STRESS_SECS:-600}
out=$BUILD/stress-out
disks=${STRESS_DISKS:-$out}

# A part, the kernels it is for, its disks' sizes, the seconds it may take.
jobs_of_part() {
	case $1 in
	stress) job "$KERNELS" stress $((2 * STRESS_SECS + 900)) 2G 48M ;;
	million) job "${KERNELS##* }" million 3600 6G ;;
	# 488,369,940 blocks
	huge) job "${KERNELS##* }" huge 900 2000363274240 ;;
	*) die "no such part: $1 (stress, million, huge)" ;;
	esac
}

prepare() {
	local k

	tests/deps.sh build guest stress || exit
	tests/fetch.sh busybox || exit
	mkdir -p "$out" "$disks"
	make -s WERROR=1 tools stress-programs || exit
	for k in $KERNELS; do
		! is_next "$k" || tests/deps.sh next || exit
		[ "$k" = uml ] || tests/fetch.sh kernel "$k" || exit
		if [ "$k" = uml ] && [ ! -x "$BUILD/uml/linux" ]; then
			tests/uml/build.sh || exit
		fi
		tests/module.sh "$k" >/dev/null || exit
	done
}

# run_guest KERNEL PART SECONDS SIZE...
run_guest() {
	local kernel=$1 part=$2 secs=$3 id=$2-$1 n=0 f size imgs=() args=()
	local status
	shift 3

	for size; do
		f=$disks/$id-$n.img
		rm -f "$f"
		imgs+=("$f")
		args+=(--disk "$f:$size")
		n=$((n + 1))
	done
	for f in STRESS_SECS STRESS_GROUPS STRESS_SEED NAMES; do
		[ -z "${!f:-}" ] || args+=(--env "$f=${!f}")
	done
	for f in "$BUILD/bin/mkfs.vexfs" "$BUILD/bin/fsck.vexfs" \
		"$BUILD"/stress/stress*; do
		args+=(--file "$f")
	done
	[ "$part" != stress ] ||
		args+=(--file "$(command -v fio)" --file "$(command -v stress-ng)"
		       --file tests/stress/stressors
		       --file tests/stress/verify.fio
		       --kmod loop --kmod quota_v2)
	tests/guest/run.sh --name "$id" --kernel "$kernel" --module auto \
		--mem 2G --timeout "$secs" --idle 600 --log "$out/$id.log" \
		--env HUNG_TASK_SECS=300 "${args[@]}" \
		--script "tests/guest/$part.sh"
	status=$?
	for f in "${imgs[@]}"; do
		[ $status != 0 ] || "$BUILD/bin/fsck.vexfs" -n -f "$f" || status=1
		rm -f "$f"
	done
	echo $status >"$out/$id.status"
}

job() {
	local kernel kernels=$1 part=$2
	shift 2

	for kernel in $kernels; do
		while [ "$(jobs -pr | wc -l)" -ge "${GUESTS:-2}" ]; do
			wait -n
		done
		rm -f "$out/$part-$kernel".*
		ids+=("$part-$kernel")
		run_guest "$kernel" "$part" "$@" 2>&1 </dev/null |
			tee "$out/$part-$kernel.out" | progress &
	done
}

# The rest is in the log.
progress() {
	grep --line-buffered -E \
		': (@@test begin|not ok|booted|FAILED|status|K .*vexfs|# )'
}

# What the guest's script counted, and that the guest ended well.
account() {
	local id=$1 p f s status

	status=$(cat "$out/$id.status" 2>/dev/null) || status=none
	{
		sed -n 's/^  //p' "$out/$id.log" 2>/dev/null
		say "@@test begin guest $id"
		if [ "$status" = 0 ]; then
			say "ok 1 guest"
		else
			say "not ok 1 guest $id, status $status"
		fi
		say "@@test end guest $id 0"
	} | awk -f tests/tap.awk >"$out/$id.result"
	read -r p f s < <(tail -n 1 "$out/$id.result")
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	[ "$f" = 0 ] || {
		say "---- $id: failures (log: $out/$id.log)"
		grep '^FAIL ' "$out/$id.result"
		grep -B 30 '^  not ok' "$out/$id.log" | tail -n 80 ||
			tail -n 60 "$out/$id.out"
		say "----"
	}
	say "== $id: $p passed, $f failed"
}

passed=0 failed=0 skipped=0 ids=()
prepare
for part in $PARTS; do
	jobs_of_part "$part"
done
wait
for id in "${ids[@]}"; do
	account "$id"
done
say "$passed passed, $failed failed$([ "$skipped" = 0 ] ||
	echo ", $skipped skipped")"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
