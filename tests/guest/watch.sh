# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Follows a running guest: joins its two serial ports in one log, shows
# progress, ends a guest that hangs, starts one that reset itself again, and
# judges the log. Sourced by
# run.sh, whose variables it uses.
# shellcheck disable=SC2154

# What no healthy kernel says.
KERNEL_TROUBLE='WARNING: CPU|WARNING: .* at .*:[0-9]|BUG: |BUG at |Oops|'\
'Call Trace|general protection fault|Kernel panic|INFO: task .* blocked|'\
'INFO: rcu.*(stall|detected)|soft lockup|hard LOCKUP|KASAN|KCSAN|KMSAN|KFENCE: |UBSAN|'\
'kmemleak: [0-9]+ new|possible (circular|recursive)|inconsistent lock state|'\
'suspicious RCU|sleeping function called|held lock freed|'\
'WARNING: (bad unlock|lock held|Nested lock|.* lock order|still has locks|'\
'suspicious)|non-static key|locking correctness validator|ODEBUG: |'\
'Unable to handle kernel|list_(add|del) corruption|refcount_t: |'\
'Objects remaining in|Busy inodes after unmount|detected buffer overflow|DEBUG_LOCKS_WARN'

# Kernel lines stand in the log behind "K ", the script's behind "  ".
# Lines are short and appended whole, so two writers do not mix.
follow_console() {
	local line

	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%$'\r'}
		printf 'K %s\n' "$line" >>"$log"
		show_kernel "$line"
	done <"$work/con"
}

show_kernel() {
	[ -z "$quiet$plain" ] || return 0
	case $1 in
	*vexfs*|*VexFS*) say "$name: $1" ;;
	*)
		[[ ! $1 =~ $KERNEL_TROUBLE ]] || say "$name: $1" ;;
	esac
}

follow_script() {
	local line prefix="$name: "

	[ -z "$plain" ] || prefix=""
	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%$'\r'}
		printf '  %s\n' "$line" >>"$log"
		case $line in
		"@@guest boot "*) show_boot "${line##* }" ;;
		"@@guest status "*) echo "${line##* }" >"$work/status" ;;
		*) [ -n "$quiet" ] || say "$prefix$line" ;;
		esac
	done <"$work/out"
}

show_boot() {
	[ -n "$quiet" ] || say "$name: booted $release in $1 s" \
		"($((SECONDS - started)) s since start)"
}

guest_runs() { kill -0 "$qemu_pid" 2>/dev/null; }

stop_guest() {
	kill "$qemu_pid" 2>/dev/null || true
	sleep 0.5
	kill -9 "$qemu_pid" 2>/dev/null || true
}

# A BREAK on the console and a letter are SysRq: w shows blocked tasks, l what
# the processors run, m memory.
show_stuck() {
	local key

	for key in w l m; do
		printf '\001b%s' "$key" >&8
		sleep 2
	done
	sleep 4
}

hung() {
	verdict="$1"
	show_stuck
	stop_guest
}

# Returns when the guest is gone. A panic reboots, which ends QEMU too.
supervise() {
	local slow=${VEXFS_SLOW:-1} size last_size=-1 last=$SECONDS

	while guest_runs; do
		sleep 0.2
		size=$(stat -c %s "$log")
		if [ "$size" != "$last_size" ]; then
			last_size=$size
			last=$SECONDS
		fi
		if [ $((SECONDS - started)) -gt $((timeout * slow)) ]; then
			hung "not finished after $((timeout * slow)) s"
		elif [ $((SECONDS - last)) -gt $((idle * slow)) ]; then
			hung "no output for $((idle * slow)) s"
		fi
	done
}

# True when the guest reset itself on purpose and may come back. A new QEMU
# boots in a third of the time that a reset of the old one takes: the emulator
# is slow where code it had translated is overwritten.
comes_back() {
	[ -z "$verdict" ] && [ ! -e "$work/status" ] || return 1
	tail -n "+$boot_line" "$log" |
		grep -qE '^K .*sysrq: Resetting|^  @@guest reset' || return 1
	[ "$boots" -gt "$reboots" ] || return 0
	verdict="reset $boots times, $reboots allowed"
	return 1
}

# The emulator may execute the breakpoint of the kernel's text patching once more
# on another processor, when the kernel has done with it and panics. If that was
# before init ran, VexFS wasn't there: the log keeps it, as lines that nobody
# judges, and the guest boots again.
misfired() {
	[ -z "$verdict" ] && [ "$misfires" -lt 2 ] || return 1
	tail -n "+$boot_line" "$log" | grep -q '^  @@guest boot' && return 1
	tail -n "+$boot_line" "$log" | grep -q '^K .*int3: 0000' || return 1
	misfires=$((misfires + 1))
	boots=$((boots - 1))
	sed -i "$boot_line,\$s/^K /emulator: /" "$log"
	say "$name: the emulator failed while $release booted; once more"
}

# The trouble with its surroundings, or else the log's end.
show_log() {
	say "---- $name: from $log"
	cat "$work/qemu.err"
	if grep -qE "^K .*($KERNEL_TROUBLE)" "$log"; then
		grep -nE -m 3 -B 5 -A 40 "^K .*($KERNEL_TROUBLE)" "$log" |
			head -n 120
	else
		tail -n 40 "$log"
	fi
	say "----"
}

judge() {
	local status

	status=$(cat "$work/status" 2>/dev/null) || status=""
	if [ -z "$verdict" ] && grep -q '^K .*Kernel panic' "$log"; then
		verdict="the kernel panicked"
	elif [ -z "$verdict" ] && grep -qE "^K .*($KERNEL_TROUBLE)" "$log"; then
		verdict="the kernel reported a problem"
	fi
	if [ -z "$verdict" ] && [ -z "$status" ]; then
		verdict="the guest ended without a status"
	fi
	if [ -n "$verdict" ]; then
		show_log
		say "$name: FAILED: $verdict (log: $log)"
		exit 125
	fi
	[ "$quiet$status" = 10 ] ||
		say "$name: status $status, $((SECONDS - started)) s," \
			"$boots boot(s), log $log"
	exit "$status"
}

watch_guest() {
	local console_pid script_pid

	verdict="" boots=0 misfires=0
	started=$SECONDS
	: >"$log"
	while :; do
		boots=$((boots + 1))
		boot_line=$(($(wc -l <"$log") + 1))
		start_qemu
		follow_console &
		console_pid=$!
		follow_script &
		script_pid=$!
		supervise
		wait "$qemu_pid" 2>/dev/null || true
		wait "$console_pid" "$script_pid" || true
		qemu_pid=""
		misfired || comes_back || break
	done
	judge
}
