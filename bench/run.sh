#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make bench": prepares data, peers and the guest's kernel, measures, and
# writes build/bench.json, a table and plots. Ctrl-C keeps what was measured.
#
#   BENCH=smoke      seconds; a few rows, nothing installed or downloaded
#   BENCH=quick      minutes; 50,000 rows, the fastest peer
#   BENCH=default    all peers; 350,000 word vectors, 100,000 of 768 dimensions
#   BENCH=large      1,000,000 of 768 dimensions
#
#   SETS=syn768-l2,...  ENGINES=hnswlib,vexfs-native,...  PARTS=search,scan,...
#   ROUNDS=5            ROWS=20000 (at most)     SIMD=avx2
#   BENCH_DATA=DIR      where data sets are kept (default: the download cache)
set -eu -o pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

size=${BENCH:-default}
out=$BUILD/bench
json=${BENCH_JSON:-$BUILD/bench.json}
data=${BENCH_DATA:-$CACHE/bench}
args=()

prepare() {
	[ "$size" = smoke ] || tests/deps.sh build guest bench
	mkdir -p "$out" "$data"
	make -s bench-programs tools
}

# generate NAME ROWS OPTION...: unless it is there.
generate() {
	local name=$1 rows=$2
	shift 2

	[ ! -f "$data/$name-query.npy" ] || return 0
	say "generating $name"
	"$out/gen" -n "$rows" "$@" "$data/$name.new" "$data/$name-query.new"
	mv "$data/$name.new" "$data/$name.npy"
	mv "$data/$name-query.new" "$data/$name-query.npy"
}

# Megabytes that are touched before anything is measured: 4 GB if that is a
# quarter at most of what is free.
memory() {
	awk '/^MemAvailable/ {
		mb = int($2 / 4096)
		print mb < 4096 ? mb : 4096
	}' /proc/meminfo
}

data_smoke() {
	data=$out/smoke
	mkdir -p "$data"
	generate syn768 1500 -q 100 -d 768
	generate syn128u8 1500 -q 100 -d 128 -8
	args+=(-s "${SETS:-syn768-l2,syn128u8-l2}" -r "${ROUNDS:-2}" -t 0.02
	       -A 20000 -e "${ENGINES:-hnswlib,vexfs-native,vexfs-native-bulk,vexfs-native-lsh}")
}

data_all() {
	local rows=100000

	if [ "$size" = large ]; then
		rows=1000000
		data=$data/large
		mkdir -p "$data"
	fi
	generate syn768 "$rows" -d 768
	generate syn128 "$rows" -d 128
	generate syn128u8 "$rows" -d 128 -8
	[ -f "$data/glove.npy" ] || python3 demo/glove20k/make.py --all \
		"$data/glove.npy" "$data/glove.txt"
	args+=(-r "${ROUNDS:-5}" -M "$(memory)")
	[ -z "${SETS:-}" ] || args+=(-s "$SETS")
	if [ "$size" = quick ]; then
		ENGINES=${ENGINES:-hnswlib,vexfs-native,vexfs-native-bulk,vexfs-kernel}
		ROWS=${ROWS:-50000}
		args+=(-t 0.1)
	fi
	[ -z "${ENGINES:-}" ] || args+=(-e "$ENGINES")
}

# The guest is left out where its kernel cannot be built.
guest() {
	[[ ,${ENGINES:-vexfs-kernel}, == *,vexfs-kernel,* ]] || return 0
	[[ ,${PARTS:-kernel}, == *,kernel,* ]] || return 0
	[ -x "$BUILD/uml-bench/linux" ] || tests/uml/build.sh bench || {
		warn "the module is not measured"
		return 0
	}
	tests/fetch.sh busybox
	VEXFS_KO=$(tests/module.sh uml-bench)
	export VEXFS_KO BUILD CACHE
	export VEXFS_MEM=3G VEXFS_DISK=6G
	[ "$size" != large ] || VEXFS_MEM=10G VEXFS_DISK=24G
	args+=(-K "$TOP/bench/guest.sh")
}

measure() {
	[ -z "${PARTS:-}" ] || args+=(-p "$PARTS")
	[ -z "${ROWS:-}" ] || args+=(-n "$ROWS")
	[ -z "${SIMD:-}" ] || args+=(-i "$SIMD")
	# Waiting threads must not take the processor from those that work,
	# and large allocations of the peers come on huge pages too.
	OMP_WAIT_POLICY=passive GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
		"$out/bench" -d "$data" -o "$json" -c "$out" -a "$out" \
		"${args[@]}"
}

report() {
	have python3 || return 0
	python3 bench/report.py "$json" "$out/plots"
}

main() {
	local status=0

	prepare
	case $size in
	smoke) data_smoke ;;
	quick|default|large) data_all; guest ;;
	*) die "BENCH=smoke, quick, default or large" ;;
	esac
	measure || status=$?
	[ "$status" = 0 ] || [ "$status" = 130 ] || exit "$status"
	report
	exit "$status"
}

main
