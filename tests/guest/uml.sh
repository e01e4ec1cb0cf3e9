# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The debug kernel as a guest: User-Mode Linux runs the same initramfs and
# disks as QEMU does, natively. Sourced by run.sh, whose variables it uses.
# shellcheck disable=SC2154,SC2034,SC2054

uml_prepare() {
	[ -x "$BUILD/uml/linux" ] || "$TOP/tests/uml/build.sh"
	[ -x "$CACHE/busybox" ] || "$TOP/tests/fetch.sh" busybox
	[ "$reboots" = 0 ] || die "the debug kernel can't be reset"
	release=$(release_of uml)
}

# Its memory is a file, which should be one in memory; a container's /dev/shm
# is often too small.
uml_tmpdir() {
	local mib

	mib=$(df -m --output=avail /dev/shm 2>/dev/null | tail -n 1) || mib=0
	if [ "$((mib * 4 / 5))" -gt $(($(numfmt --from=iec "$mem") >> 20)) ]; then
		echo /dev/shm
	else
		echo "$work"
	fi
}

# Its processes start as copies of itself without its memory, in which the C
# library's rseq area was: without it the host would kill them.
# Consoles are descriptors: 1 is what the kernel says, 7 the script's port.
uml_command() {
	local d n=0 path

	qemu=(env "TMPDIR=$(uml_tmpdir)" GLIBC_TUNABLES=glibc.pthread.rseq=0
	      "$BUILD/uml/linux" "mem=$mem" "initrd=$work/initramfs"
	      con=null con0=null,fd:1 ssl=null ssl1=null,fd:7
	      console=tty0 loglevel=5 panic=-1 oops=panic)
	for d in ${disks+"${disks[@]}"}; do
		path=${d%:*}
		[ -e "$path" ] || truncate -s "${d##*:}" "$path"
		qemu+=("ubd$n=$path")
		n=$((n + 1))
	done
	# shellcheck disable=SC2206,SC2207
	qemu+=($(slowly) $append)
}
