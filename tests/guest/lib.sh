# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What a guest script finds defined: disks by number, a state that outlives a
# reset, the reset itself, and TAP. Read by the guest's init and once more
# before the script.

# Disks are told apart by serial number, d0 d1 ..., since NVMe controllers are
# probed in no fixed order. $DISK0, $DISK1, ... are their device nodes.
disks_settle() {
	disk_tries=0
	until disks_found || [ $((disk_tries += 1)) -gt 100 ]; do
		sleep 0.1
	done
}

disks_found() {
	disk_n=0
	for disk_dev in /sys/block/nvme*n1; do
		[ -e "$disk_dev/device/serial" ] || continue
		disk_serial=$(tr -d ' ' <"$disk_dev/device/serial")
		case $disk_serial in
		state) export STATE_DISK="/dev/${disk_dev##*/}" ;;
		d*) eval "export DISK${disk_serial#d}=/dev/${disk_dev##*/}" ;;
		esac
		disk_n=$((disk_n + 1))
	done
	# A disk that is recorded
	for disk_dev in /sys/block/vd?; do
		[ -e "$disk_dev/serial" ] || continue
		disk_serial=$(tr -d ' ' <"$disk_dev/serial")
		eval "export DISK${disk_serial#d}=/dev/${disk_dev##*/}"
		disk_n=$((disk_n + 1))
	done
	# User-Mode Linux has no serial numbers, its disks are in order.
	for disk_dev in /sys/block/ubd?; do
		[ -e "$disk_dev" ] || continue
		eval "export DISK$disk_n=/dev/${disk_dev##*/}"
		disk_n=$((disk_n + 1))
	done
	[ "$disk_n" -ge "${JOB_DISKS:-0}" ]
}

# state_set NAME VALUE... / state_get NAME: words kept on a small disk of their
# own (given with --allow-reboots), written through before set returns.
state_all() {
	dd if="$STATE_DISK" bs=64k count=1 iflag=direct 2>/dev/null |
		tr -d '\000'
}

state_get() { state_all | sed -n "s/^$1=//p"; }

state_set() {
	state_name=$1
	shift
	{ state_all | grep -v "^$state_name="; echo "$state_name=$*"; } \
		>/run/state.new
	truncate -s 64k /run/state.new
	dd if=/run/state.new of="$STATE_DISK" bs=64k count=1 oflag=direct \
		conv=fsync 2>/dev/null
}

# Resets the machine as a reset button would: nothing is written back. The
# script starts again from its first line, on the same disks.
crash() {
	echo "@@guest reset"
	sleep 0.2
	echo b >/proc/sysrq-trigger
	sleep 60
}

# Memory that nothing points to any more, which the debug kernel looks for.
# leaks_forget: what there is now is not the module's. no_leaks: true when none
# was found since; two looks, since what was moving may be missed by one, and
# what is younger than five seconds isn't reported.
kmemleak=/sys/kernel/debug/kmemleak

leaks_forget() {
	[ -e $kmemleak ] || return 0
	echo scan >$kmemleak
	echo clear >$kmemleak
}

no_leaks() {
	[ -e $kmemleak ] || return 0
	sleep 6
	echo scan >$kmemleak
	echo scan >$kmemleak
	sed 's/^/# /' <$kmemleak >/run/leaks
	cat /run/leaks
	[ ! -s /run/leaks ]
}

# Memory that the kernel can't give back, in KiB.
unreclaimable() { sed -n 's/^SUnreclaim: *\([0-9]*\) kB/\1/p' /proc/meminfo; }

# False once lockdep has given up: its tables are full, or it has reported.
lockdep_works() {
	[ ! -e /proc/lockdep_stats ] ||
		grep -q 'debug_locks: *1$' /proc/lockdep_stats || {
		echo "# lockdep is off"
		return 1
	}
}

# TAP for scripts: tap_ok NAME after a command that succeeded, or
#   check NAME COMMAND...
# and plan at the end.
tap_n=0
tap_bad=0

tap_ok() { tap_n=$((tap_n + 1)); echo "ok $tap_n $*"; }

tap_not_ok() {
	tap_n=$((tap_n + 1))
	tap_bad=$((tap_bad + 1))
	echo "not ok $tap_n $*"
}

tap_skip() { tap_n=$((tap_n + 1)); echo "ok $tap_n $1 # SKIP ${2:-}"; }

check() {
	check_name=$1
	shift
	if "$@"; then
		tap_ok "$check_name"
	else
		echo "# status $? from: $*"
		tap_not_ok "$check_name"
	fi
}

plan() {
	echo "1..$tap_n"
	[ "$tap_bad" = 0 ]
}
