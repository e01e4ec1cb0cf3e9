#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Host side of "make demo": gets what is missing, builds module and tools, and
# runs tests/demo/guest.sh in a guest of the newest supported kernel, with
# mkfs.vexfs, vexctl, the programs of tests/demo and the data of demo/ (found
# in /job/demo).
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh

kernel=${KERNEL:-6.12}
tests/deps.sh build guest
make -s tools brute
tests/fetch.sh kernel "$kernel"
tests/fetch.sh busybox

tools=()
for tool in "$BUILD"/bin/* "$BUILD/tests/brute"; do
	tools+=(--file "$tool")
done
rm -f "$BUILD/guest/demo.img"
mkdir -p "$BUILD/guest"
exec tests/guest/run.sh --name demo --plain --kernel "$kernel" --module auto \
	--mem 2G --timeout 600 --idle 200 --disk "$BUILD/guest/demo.img:1G" \
	"${tools[@]}" --file demo:/job/demo --script tests/demo/guest.sh "$@"
