#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086,SC2154,SC2317
#
# Guest side of "make check-stress": the groups of stress-ng's stressors, one
# after the other, each beside fio with verification, two collections, and a
# small volume that is always full. After each group both volumes are unmounted
# and checked, and what the loads left is read again.
# Environment: STRESS_SECS (of load in all), STRESS_GROUPS (names, default all),
# STRESS_SEED.
. /job/lib.sh

big=/mnt/vexfs small=/mnt/small
seed=${STRESS_SEED:-1}
mkdir -p $big $small
groups=/tmp/groups
grep -v '^#' /job/stressors | while read -r name rest; do
	case " ${STRESS_GROUPS:-$name} " in
	*" $name "*) echo "$name $rest" ;;
	esac
done >$groups

mount_both() {
	mount -t vexfs "$DISK0" $big && mount -t vexfs "$DISK1" $small
}

# With quota on the one: fsck adds up then what everybody has.
volumes_up() {
	mkfs.vexfs -f -V "$DISK0" >/dev/null &&
		mkfs.vexfs -f -Q usr,grp,prj "$DISK1" >/dev/null &&
		mount_both && mkdir $big/ng $big/fio
}

unmounted() {
	umount "$1" && return
	for pid in $(fuser -m "$1"); do
		echo "# in use by $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline"))"
	done
	return 1
}

sound() {
	fsck.vexfs -n -f "$1" >/tmp/fsck.out 2>&1 && return
	sed 's/^/# /' /tmp/fsck.out
	return 1
}

both_down() {
	unmounted $big && unmounted $small && sound "$DISK0" && sound "$DISK1"
}

# ---------------------------------------------------------------------- loads
# fio_run FILE [LINE]: the jobs, with LINE in [global].
fio_run() {
	sed "s/^\[global\]/&\n${2:-}/" /job/verify.fio >"/tmp/$1.fio"
	(cd /tmp && DIR=$big/fio SEED=$(cat /tmp/fio.seed) \
		fio --eta=never --output="/tmp/$1.out" "/tmp/$1.fio") && return
	grep -E '^(fio|verify|hdr|  *fio): |err=[ 0-9]*[1-9]' "/tmp/$1.out" |
		sed 's/^/# /'
	return 1
}

# Over the files of before, and every second time on new ones.
load_fio() {
	while [ "$(date +%s)" -lt "$1" ]; do
		fio_n=$(($(cat /tmp/fio.n 2>/dev/null || echo 0) + 1))
		echo $fio_n >/tmp/fio.n
		echo $((seed * 1000 + fio_n)) >/tmp/fio.seed
		[ $((fio_n % 2)) = 0 ] || rm -rf $big/fio/*
		fio_run load || return
	done
}

# That a stressor failed or was killed isn't always in the status. What a kernel
# lacks is skipped: 3 and 4 say so.
load_ng() {
	stress-ng --temp-path $big/ng --verify --timeout "$1" --seed "$seed" \
		--oomable --metrics-brief $2 >/tmp/ng.out 2>&1
	ng_status=$?
	sed -n 's/^.*\] \(.*\), skipping .*/# stress-ng: \1/p' /tmp/ng.out
	ran=$(awk '/: metrc: / && NF == 10 && $5 ~ /^[0-9]+$/ {
			print $4 "(" $5 ")" }' /tmp/ng.out | tr '\n' ' ')
	echo "# stress-ng: operations: $ran"
	case $ng_status in
	0|3|4) [ -n "$ran" ] && ! grep -E ': fail: |: error: ' /tmp/ng.out &&
		return ;;
	esac
	sed 's/^/# /' /tmp/ng.out
	echo "# stress-ng: status $ng_status"
	return 1
}

# background NAME COMMAND...: its status is in a file.
background() {
	job=$1
	shift
	echo 255 >"/tmp/status.$job"
	{ "$@"; echo $? >"/tmp/status.$job"; } &
}

worked() { [ "$(cat "/tmp/status.$1")" = 0 ]; }

# One group for some seconds, with all that goes on beside it.
loads() {
	secs=$2
	end=$(($(date +%s) + secs))
	background fio load_fio $end
	background hnsw stresscoll work $big/hnsw hnsw /tmp/hnsw.model \
		"$secs" "$seed"
	background lsh stresscoll work $big/lsh lsh /tmp/lsh.model \
		"$secs" "$seed"
	background full stressfull $small/full "$secs" "$seed"
	background ng load_ng "$secs" "$3"
	wait
	check "$1: stress-ng's stressors" worked ng
	check "$1: fio finds what it wrote" worked fio
	check "$1: a collection with a graph" worked hnsw
	check "$1: a collection with hash tables" worked lsh
	check "$1: a full volume" worked full
}

# What is there comes from the disk.
again() {
	check "$1: both volumes are unmounted and sound" both_down
	check "$1: mounted again" mount_both
	check "$1: fio's files are as they were" fio_run again verify_only
	check "$1: the graph's vectors are as they were" \
		stresscoll verify $big/hnsw /tmp/hnsw.model
	check "$1: the hash tables' vectors are as they were" \
		stresscoll verify $big/lsh /tmp/lsh.model
}

echo "@@test begin stress"
modprobe vexfs
modprobe loop 2>/dev/null
check "two volumes are made and mounted" volumes_up
each=$((${STRESS_SECS:-600} / $(wc -l <$groups)))
while read -r name options; do
	[ $tap_bad = 0 ] || break
	echo "# $name, for $each s, up since $(cut -d' ' -f1 /proc/uptime) s"
	loads "$name" $each "$options"
	again "$name"
	seed=$((seed + 1))
done <$groups
check "all is removed" rm -rf $big/ng $big/fio $big/hnsw $big/lsh
check "both volumes are sound at the end" both_down
no_leaks && check "the module unloads" rmmod vexfs
plan
status=$?
echo "@@test end stress $status"
exit $status
