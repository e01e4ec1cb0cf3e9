#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots a Debian kernel in QEMU on an initramfs of busybox and the given files,
# runs a script in it, and ends with the script's exit status. See --help.
# Variables set here are used in watch.sh too.
# shellcheck disable=SC2034
set -eu -o pipefail
GUEST=$(cd "$(dirname "$0")" && pwd)
. "$GUEST/../lib.sh"
. "$GUEST/initramfs.sh"
. "$GUEST/watch.sh"
. "$GUEST/uml.sh"
PATH=$PATH:/sbin:/usr/sbin

usage() {
	cat <<'END'
usage: tests/guest/run.sh --kernel SERIES [OPTION]... --script SCRIPT [ARG]...

  --kernel 6.1|6.12|7.3|uml
                           Debian's cloud kernel of that series, or the debug
                           kernel of tests/uml/build.sh (no resets there)
  --module PATH|auto       put vexfs.ko where modprobe finds it; auto builds it
  --kmod NAME              also this module of the kernel's package, with what
                           it needs (dm-flakey, loop, ...); may be repeated
  --disk PATH[:SIZE]       $DISK0, $DISK1 ... in the guest; a missing file is
                           made sparse with that SIZE (64M, 2G)
  --record LOG             log all writes and flushes of $DISK0, in the format
                           of dm-log-writes
  --file SRC[:DEST]        a file or folder for the guest; executables go to
                           /job/bin, other files to /job; programs bring their
                           shared libraries
  --env NAME=VALUE         in the script's environment
  --mem 1536M  --smp 2     the guest's memory and processors
  --timeout 600            seconds the whole run may take
  --idle 120               seconds it may print nothing (10 more are given to
                           show where the guest is stuck)
  --allow-reboots N        resets the script may cause with crash(); also gives
                           it state_get and state_set
  --append "..."           more kernel command line
  --qemu "..."             more QEMU arguments
  --log FILE               everything the guest printed (default: under build/)
  --name NAME              the prefix of the progress lines
  --plain                  the script's lines without that prefix, no kernel's
  --quiet                  no progress lines

The script is run by busybox sh with tests/guest/lib.sh read. The exit status
is the script's; 125 when the guest panicked, logged a kernel bug or warning,
hung, or ended without a status. VEXFS_SLOW=3 multiplies the times allowed;
VEXFS_ACCEL=kvm uses KVM where it works.
END
}

timeout=600 idle=120 quiet="" plain=""
kernel="" module="" script="" append="" qemu_more="" log="" name=""
mem=1536M smp=2 reboots=0 record=""
kmods=() disks=() files=() envs=() args=()

parse() {
	while [ $# -gt 0 ]; do
		case $1 in
		--help) usage; exit 0 ;;
		--quiet) quiet=1; shift; continue ;;
		--plain) plain=1; shift; continue ;;
		esac
		[ $# -ge 2 ] || die "$1 needs a value; see --help"
		case $1 in
		--kernel) kernel=$2 ;;
		--module) module=$2 ;;
		--kmod) kmods+=("$2") ;;
		--disk) disks+=("$2") ;;
		--record) record=$2 ;;
		--file) files+=("$2") ;;
		--env) envs+=("$2") ;;
		--mem) mem=$2 ;;
		--smp) smp=$2 ;;
		--timeout) timeout=$2 ;;
		--idle) idle=$2 ;;
		--allow-reboots) reboots=$2 ;;
		--append) append=$2 ;;
		--qemu) qemu_more=$2 ;;
		--log) log=$2 ;;
		--name) name=$2 ;;
		--script) script=$2; shift 2; args=("$@"); break ;;
		*) die "unknown option $1; see --help" ;;
		esac
		shift 2
	done
	[ -n "$kernel" ] || die "--kernel is needed; see --help"
	[ -f "$script" ] || die "no guest script: '$script'"
}

prepare() {
	release=$(release_of "$kernel") || release=""
	if [ "$kernel" = uml ]; then
		uml_prepare
	elif [ ! -f "$CACHE/kernels/$release/vmlinux" ] ||
	   [ ! -x "$CACHE/busybox" ]; then
		"$TOP/tests/fetch.sh" kernel "$kernel"
		"$TOP/tests/fetch.sh" busybox
		release=$(release_of "$kernel")
	fi
	[ -z "$record" ] || kmods+=(virtio_blk virtio_pci)
	if [ "$module" = auto ]; then
		module=$("$TOP/tests/module.sh" "$release")
	fi
	name=${name:-$(basename "$script" .sh)-$kernel}
	log=${log:-$BUILD/guest/$name.log}
	mkdir -p "$(dirname "$log")"
	work=$(mktemp -d "${TMPDIR:-/tmp}/vexfs-guest.XXXXXX")
	trap cleanup EXIT
	trap 'exit 130' INT TERM HUP
}

cleanup() {
	[ -z "${qemu_pid:-}" ] || kill -9 "$qemu_pid" 2>/dev/null || true
	rm -rf "$work"
}

job_env() {
	local e

	echo "export JOB_DISKS=$((${#disks[@]} + (reboots > 0)))"
	echo "export KERNEL=$kernel RELEASE=$release"
	printf 'export JOB_ARGS=%q\n' "${args[*]@Q}"
	for e in ${envs+"${envs[@]}"}; do
		printf 'export %s=%q\n' "${e%%=*}" "${e#*=}"
	done
}

initramfs() {
	local f

	root=$work/root
	root_create
	cp "$script" "$root/job/script"
	job_env >"$root/job/env"
	for f in ${files+"${files[@]}"}; do
		case $f in
		*:*) root_add_file "${f%%:*}" "${f#*:}" ;;
		*) root_add_file "$f" ;;
		esac
	done
	root_add_modules "$module" ${kmods+"${kmods[@]}"}
	root_pack "$work/initramfs"
}

# $1 file, $2 serial number.
drive() {
	qemu+=(-drive "file=$1,format=raw,if=none,id=$2,cache=unsafe,discard=unmap"
	       -device "nvme,serial=$2,drive=$2")
}

# The same, with a log. Virtio's disks have no FUA: it comes as write and flush.
drive_recorded() {
	local drive="driver=file,cache.no-flush=on"

	: >"$record"
	qemu+=(-blockdev "$drive,node-name=log,filename=$record"
	       -blockdev "$drive,node-name=disk,filename=$1"
	       -blockdev "driver=raw,node-name=raw,file=disk"
	       -blockdev "driver=blklogwrites,node-name=both,file=raw,log=log,log-sector-size=512"
	       -device "virtio-blk-pci,drive=both,serial=$2,write-cache=on,num-queues=1")
}

drives() {
	local d n=0 path

	for d in ${disks+"${disks[@]}"}; do
		path=${d%:*}
		[ -e "$path" ] || [ "$path" = "$d" ] ||
			truncate -s "${d##*:}" "$path"
		[ -e "$path" ] || die "no such disk: $path (PATH:SIZE makes it)"
		if [ -n "$record" ] && [ "$n" = 0 ]; then
			drive_recorded "$path" d0
		else
			drive "$path" "d$n"
		fi
		n=$((n + 1))
	done
	if [ "$reboots" -gt 0 ]; then
		truncate -s 1M "$work/state"
		drive "$work/state" state
	fi
}

# The emulator is several times faster when code stays where it was translated
# (norandmaps, nokaslr) and when the kernel leaves its hardening out, and boots
# faster without tests of ciphers. On a busy host its timer is late, which must
# not pass for one that doesn't work.
cmdline() {
	local tsc=""

	if [ "$accel" = tcg ] && [ "$(uname -m)" = x86_64 ]; then
		tsc="tsc_early_khz=$(tsc_khz) tsc=reliable"
	fi
	echo "console=ttyS0 loglevel=5 panic=-1 oops=panic no_timer_check" \
		"norandmaps nokaslr mitigations=off init_on_alloc=0" \
		"transparent_hugepage=never lsm= hardened_usercopy=off" \
		"randomize_kstack_offset=off audit=0 cryptomgr.notests" \
		"initcall_blacklist=jent_mod_init $tsc $(slowly) $append"
}

# When the guest may stand still, being late is nothing that its kernel has to
# report before it lasts for as many times longer.
slowly() {
	local slow=${VEXFS_SLOW:-1}

	[ "$slow" -le 1 ] ||
		echo "watchdog_thresh=$((slow < 6 ? 10 * slow : 60))" \
		"rcupdate.rcu_cpu_stall_timeout=$((slow < 14 ? 21 * slow : 300))"
}

tsc_khz() {
	local bin=$BUILD/guest/tsc

	if [ ! "$bin" -nt "$GUEST/tsc.c" ]; then
		mkdir -p "${bin%/*}"
		${CC:-gcc} -O2 -o "$bin.$$" "$GUEST/tsc.c"
		mv "$bin.$$" "$bin"
	fi
	"$bin"
}

qemu_command() {
	# A /dev/kvm without hardware behind it fails in mid-boot, so the
	# emulator is the default.
	accel=${VEXFS_ACCEL:-tcg}
	qemu=(qemu-system-x86_64 -accel "$accel" -cpu "max,la57=off" -smp "$smp"
	      -m "$mem" -no-reboot -nodefaults -no-user-config -display none
	      -kernel "$CACHE/kernels/$release/vmlinux"
	      -initrd "$work/initramfs" -append "$(cmdline)"
	      -chardev "stdio,id=con,mux=on,signal=off" -serial chardev:con
	      -chardev "file,id=out,path=$work/out" -serial chardev:out)
	drives
	# shellcheck disable=SC2206
	qemu+=($qemu_more)
}

# UML writes to the script's port itself, through descriptor 7.
start_qemu() {
	if [ "$kernel" = uml ]; then
		"${qemu[@]}" <&8 >"$work/con" 2>"$work/qemu.err" 7>"$work/out" &
	else
		"${qemu[@]}" <&8 >"$work/con" 2>"$work/qemu.err" &
	fi
	qemu_pid=$!
}

parse "$@"
prepare
initramfs
mkfifo "$work/con" "$work/out" "$work/keys"
# Held open so that the console's input never ends.
exec 8<>"$work/keys"
if [ "$kernel" = uml ]; then uml_command; else qemu_command; fi
watch_guest
