#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make check": runs the steps named as arguments (all without), each timed and
# counted, and ends with one line "N passed, N failed[, N skipped]".
#
#   tests/check.sh [deps] [tools] [lint] [unit] [unit-asan] [bench] [install]
#                  [selftests] [crash]
#   tests/check.sh debug    the selftests and the stress on the debug kernel
#   tests/check.sh next     the module and the guests' jobs on the next kernel
#   KERNELS="6.1"         only these guests        JOBS="crash"  only these jobs
#   TESTS="abi rename"    only these selftests
set -u -o pipefail
cd "$(dirname "$0")/.." || exit
. tests/lib.sh

OUT=$BUILD/check
KERNELS=${KERNELS:-$KERNELS_ALL}
passed=0 failed=0 skipped=0

# --------------------------------------------------------------------------
# What runs in guests. NAME, the seconds it may take, resets it may cause,
# size of its disk, guest script; then further arguments of run.sh.
guest_jobs() {
	local all=(--file "$BUILD/selftests:/job/selftests" --kmod loop
		   --kmod quota_v2 --file demo/glove20k/vectors.npy)
	local one=(--file "$BUILD/selftests/coll_crash:/job/selftests/coll_crash")

	job selftests  900 0 1G tests/guest/selftests.sh "${all[@]}"
	job coll_crash 900 22 512M tests/guest/coll_crash.sh "${one[@]}"
	job loads      600 0 256M tests/guest/loads.sh
	# "make check-variants": the resets that "make check" left out, and the
	# selftests on other volumes. With quota, fsck adds up after each of
	# them what everybody has.
	asked coll_crash-20 900 22 512M tests/guest/coll_crash.sh "${one[@]}" \
		--env ROUNDS=20
	asked selftests-768 900 0 1G tests/guest/selftests.sh "${all[@]}" \
		--env "MKFS_OPTS=-V -D 768 -L VectorDB"
	asked selftests-8k  900 0 1G tests/guest/selftests.sh "${all[@]}" \
		--env "MKFS_OPTS=-b 8192 -i 8192 -V -D 1024"
	asked selftests-quota 900 0 1G tests/guest/selftests.sh "${all[@]}" \
		--env "MKFS_OPTS=-Q usr,grp,prj"
	# dmsetup is in no PATH but root's.
	asked faults 600 0 128M tests/guest/faults.sh --kmod dm-mod \
		--kmod dm-flakey --file "$BUILD/selftests:/job/selftests" \
		--file "$(PATH=$PATH:/sbin:/usr/sbin command -v dmsetup)"
}

# Of the crash test: all on the newest kernel. What a reset may show is the same
# on others, and most of the time goes into booting.
rounds() { if [ "$1" = "${KERNELS_ALL##* }" ]; then echo 20; else echo 5; fi; }

# The tools and the module are in every guest; a job adds what else it needs.
run_job() {
	local kernel=$1 name=$2 secs=$3 resets=$4 size=$5 script=$6 f
	local args=(--name "$name-$kernel" --kernel "$kernel" --module auto
		    --idle 300)
	shift 6

	for f in "$BUILD"/bin/*; do
		[ ! -x "$f" ] || args+=(--file "$f")
	done
	args+=(--env "ROUNDS=$(rounds "$kernel")")
	rm -f "$OUT/$name-$kernel.img"
	# shellcheck disable=SC2086
	tests/guest/run.sh "${args[@]}" --disk "$OUT/$name-$kernel.img:$size" \
		--timeout "$secs" --allow-reboots "$resets" \
		--log "$OUT/$name-$kernel.log" "$@" --script "$script" \
		${TESTS:-} </dev/null
	local status=$?
	if [ "$status" = 0 ]; then
		fsck_image "$OUT/$name-$kernel.img" || status=1
	fi
	rm -f "$OUT/$name-$kernel.img"
	return $status
}

# What the guest left on its disk is a sound volume, if it is a volume.
fsck_image() {
	[ "$(dd if="$1" bs=1 skip=1024 count=7 2>/dev/null |
		tr -d '\0')" = VexFSv1 ] || return 0
	"$BUILD/bin/fsck.vexfs" -n -f "$1"
}

# --------------------------------------------------------------- accounting
# Each step prints TAP marked as tests/tap.awk wants it. What it prints goes
# to build/check/STEP.log; a failure's surroundings are shown.
mark() {
	local name=$1 status
	shift

	say "@@test begin $name"
	"$@"
	status=$?
	say "@@test end $name $status"
	return $status
}

# One command that prints no TAP is one test.
one() {
	local name=$1
	shift

	say "@@test begin $name"
	if "$@"; then say "ok 1 $name"; else say "not ok 1 $name"; fi
	say "@@test end $name 0"
}

# account STEP SECONDS: adds up the results in STEP.log and shows failures.
account() {
	local step=$1 secs=$2 p f s

	awk -f tests/tap.awk "$OUT/$step.log" >"$OUT/$step.result"
	read -r p f s < <(tail -n 1 "$OUT/$step.result")
	if [ $((p + f)) = 0 ]; then
		say "FAIL $step: no test ran" >>"$OUT/$step.result"
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if [ "$f" -gt 0 ]; then
		show_failures "$step"
	fi
	say "== $step: $p passed, $f failed, $s skipped (${secs} s)"
}

show_failures() {
	local log=$OUT/$1.log

	say "---- $1: failures (all of it in $log)"
	grep -B 25 -E '^not ok|@@test end .* [1-9][0-9]*$' "$log" | tail -n 120
	grep '^FAIL ' "$OUT/$1.result"
	say "----"
}

step() {
	local name=$1 begin=$SECONDS
	shift

	say "== $name"
	"$@" >"$OUT/$name.log" 2>&1 </dev/null
	account "$name" $((SECONDS - begin))
}

# -------------------------------------------------------------------- steps
# Everything later steps use is fetched here: they need no network.
step_deps() {
	local k

	say "== deps"
	tests/deps.sh || exit 1
	tests/fetch.sh busybox && tests/fetch.sh source || exit 1
	for k in $KERNELS_ALL; do
		tests/fetch.sh kernel "$k" || exit 1
	done
}

# Without headers the tools are still built, and make says what it misses.
tools_only() {
	local out

	out=$(make -s -j"$(nproc)" WERROR=1 KDIR=/nonexistent) || return
	printf '%s\n' "$out"
	[[ $out == *"no kernel headers at /nonexistent"* ]] &&
		[ -x "$BUILD/bin/mkfs.vexfs" ] && [ -x "$BUILD/bin/vexctl" ]
}

step_tools() { step tools one "make without kernel headers" tools_only; }

# At W=1, without a warning of the compiler's or modpost's.
install_quiet() {
	local out

	out=$(make -s -j"$(nproc)" W=1 "$@" 2>&1) || { say "$out"; return 1; }
	say "$out"
	! grep -qE ' warning: |WARNING: modpost' <<<"$out"
}

# "make" and "make install" as on a real machine, from a copy of the tree,
# since they build the module beside its sources; then "make clean". For the
# generic flavour: that is the build at W=1 that "make lint" leaves out.
install_run() {
	local tree=$OUT/tree root=$OUT/root rel

	rel=$(generic_of "$(release_of "$SOURCE_SERIES")")
	rm -rf "$tree" "$root"
	mkdir -p "$tree"
	tar -c --exclude=./build --exclude=./.git --exclude='*.o' \
		--exclude='*.ko' . | tar -x -C "$tree"
	find "$tree" -type f | sort >"$OUT/tree.before"
	one "make install, W=1 $rel" install_quiet -C "$tree" install \
		BUILD="$BUILD" KDIR="$(kdir_of "$rel")" DESTDIR="$root"
	one "depmod knows the filesystem" grep -q '^alias fs-vexfs vexfs' \
		"$root/lib/modules/$rel/modules.alias"
	one "mkfs.vexfs is installed" [ -x "$root/usr/local/sbin/mkfs.vexfs" ]
	one "vexctl is installed" [ -x "$root/usr/local/bin/vexctl" ]
	one "a manual page for each tool" pages_installed "$root"
	make -s -C "$tree" BUILD=build clean
	find "$tree" -type f | sort >"$OUT/tree.after"
	one "make clean leaves the sources only" \
		diff "$OUT/tree.before" "$OUT/tree.after"
	rm -rf "$tree" "$root"
}

pages_installed() {
	local tool

	for tool in "$BUILD"/bin/*; do
		ls "$1/usr/local/share/man"/man?/"${tool##*/}".? || return
	done
}

step_install() { step install install_run; }

step_lint() { step lint mark lint tests/lint.sh; }

# Two programs to a core wouldn't be faster; their output is kept apart.
unit_run() {
	local dir=$1 target=$2 out=$OUT/$2 t

	# shellcheck disable=SC2086
	mark_build "$target" make -s -j"$(nproc)" $3 "$target" || return
	rm -rf "$out"
	mkdir -p "$out"
	for t in "$dir"/tests/unit/test_*; do
		case $t in *.o|*.d) continue ;; esac
		while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do
			wait -n
		done
		mark "${t##*/}" timeout 600 "$t" >"$out/${t##*/}" 2>&1 &
	done
	wait
	cat "$out"/*
}

# A build that fails is a failure; one that works is no test.
mark_build() {
	local name=$1
	shift

	"$@" || { one "build $name" false; return 1; }
}

# Warnings are errors, but for sanitized code: they add some of their own.
step_unit() { step unit unit_run "$BUILD/obj" unit-programs WERROR=1; }

step_unit-asan() {
	export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
	export UBSAN_OPTIONS=print_stacktrace=1
	step unit-asan unit_run "$BUILD/obj-asan" unit-asan-programs ""
}

# The benchmark on a few rows, so that it works when it is wanted: an exact
# scan that misses anything fails there, and here what is not measured.
bench_smoke() {
	local want json=$OUT/bench.json ok=0

	BENCH=smoke BENCH_JSON=$json bench/run.sh || return
	for want in '"vexfs-native", "data": "syn768-l2", "what": "build"' \
		'"vexfs-native", "data": "syn768-l2", "what": "disk"' \
		'"vexfs-native", "data": "syn768-l2", "what": "search", "threads": 1, "batch": 1, .*"recall": 0.99, "qps": [1-9]' \
		'"what": "search", "threads": 1, "batch": 32, .*"recall": 0.99, "qps": [1-9]' \
		'"what": "search-beside-inserts"' '"what": "build-threads"' \
		'"what": "scan", "threads": 1, "batch": 256' \
		'"machine", "data": "syn768-l2", "what": "bandwidth"' \
		'"data": "append128-hnsw", "what": "append"'; do
		grep -qE "$want" "$json" || { say "not measured: $want"; ok=1; }
	done
	return $ok
}

step_bench() { step bench one "the benchmark on a few rows" bench_smoke; }

step_modules() {
	local k

	for k in $KERNELS; do
		say "module for $k: $(tests/module.sh "$k")" || exit 1
	done
}

selftests_build() {
	local f

	make -s -j"$(nproc)" WERROR=1 tools &&
		make -s -j"$(nproc)" -C tests/selftests \
			OUTPUT="$BUILD/selftests" USERCFLAGS=-Werror || return
	for f in tests/selftests/*.sh; do
		[ ! -f "$f" ] || cp "$f" "$BUILD/selftests/"
	done
}

# Guests run side by side, two more than there are processors: they are idle at
# times, and the longest jobs, which come first, end together. Progress lines
# carry their names.
step_selftests() {
	local k log begin=$SECONDS

	say "== selftests ($KERNELS)"
	rm -rf "$BUILD/selftests"
	mkdir -p "$BUILD/selftests"
	step selftests-build one "build the selftests" selftests_build
	for k in $KERNELS; do
		rm -f "$OUT"/*-"$k".*
	done
	guests_run
	for k in $KERNELS; do
		for log in "$OUT"/job-*-"$k".log; do
			account "$(basename "$log" .log)" $((SECONDS - begin))
		done
	done
}

# Some crashes of the module under load; "make check-crash" tries many.
crash_sample() { tests/crash/run.sh -n 400 -t 8 -i 0; }

step_crash() { step crash one "crashes of the module" crash_sample; }

# The debug kernel: slow, and built from source the first time, so no part of
# what runs without being asked for. It can't be reset. JOBS may name "stress".
step_debug() {
	local KERNELS=uml JOBS=${JOBS:-selftests loads stress}

	[ "$JOBS" = stress ] || step_selftests
	[[ " $JOBS " != *" stress "* ]] ||
		step stress one "the stress on the debug kernel" debug_stress
}

debug_stress() {
	KERNELS=uml PARTS=stress STRESS_SECS=${STRESS_SECS:-300} \
		tests/stress/run.sh
}

# The kernel of the next Debian: downloads of its own, and minutes, so it isn't
# part of what runs without being asked for either.
step_next() {
	local KERNELS=$KERNELS_NEXT JOBS=${JOBS:-selftests coll_crash loads} k

	say "== deps"
	tests/deps.sh build guest next && tests/fetch.sh busybox &&
		tests/fetch.sh source || exit 1
	for k in $KERNELS; do
		tests/fetch.sh kernel "$k" || exit 1
	done
	step next-modules next_modules
	step_selftests
}

next_modules() {
	local k

	for k in $KERNELS; do
		one "W=1 $(release_of "$k")" module_quiet "$k"
	done
}

module_quiet() {
	local out

	out=$(tests/module.sh "$1" 2>&1 >/dev/null) || { say "$out"; return 1; }
	say "$out"
	[ -z "$out" ]
}

guests_run() {
	local guests=$(($(nproc) + 2))

	job() {
		local kernel

		[ -z "${JOBS:-}" ] || [[ " $JOBS " = *" $1 "* ]] || return 0
		for kernel in $KERNELS; do
			while [ "$(jobs -pr | wc -l)" -ge "$guests" ]; do
				wait -n
			done
			guest_step "$kernel" "$@" &
		done
	}
	# Only when it is named in JOBS.
	asked() { [ -z "${JOBS:-}" ] || job "$@"; }
	guest_jobs
	wait
}

# The script's part of the log is what is counted, and that the guest itself
# ended well is one more test.
guest_step() {
	local kernel=$1 name=$2 status log=$OUT/job-$2-$1.log

	run_job "$@" 2>&1 | tee "$OUT/$name-$kernel.out" | progress
	status=${PIPESTATUS[0]}
	{
		[ ! -f "$OUT/$name-$kernel.log" ] ||
			sed -n 's/^  //p' "$OUT/$name-$kernel.log"
		[ "$status" = 0 ] || tail -n 60 "$OUT/$name-$kernel.out"
		one "guest $name on $kernel, status $status" [ "$status" = 0 ]
	} >"$log"
}

# Live: what began and what failed; the rest is in the log.
progress() {
	grep --line-buffered -E \
		': (@@test begin|not ok|booted|FAILED|status|# .*FAIL)'
}

main() {
	local steps=${*:-deps tools lint unit unit-asan bench install selftests crash}
	local s begin=$SECONDS

	mkdir -p "$OUT"
	for s in $steps; do
		"step_$s"
	done
	[ "$*" != modules ] || return 0
	if [ $((passed + failed)) = 0 ]; then
		warn "no test ran"
		failed=1
	fi
	say "== all in $((SECONDS - begin)) s"
	say "$passed passed, $failed failed$(
		[ "$skipped" = 0 ] || echo ", $skipped skipped")"
	[ "$failed" = 0 ]
}

main "$@"
