#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs the Debian packages that building and testing need and that are
# missing, and says which; silent when there is nothing to do. Without apt or
# without root it prints what to install and stops.
#
#   tests/deps.sh [build] [guest] [style]      (default: all three)
#   tests/deps.sh bench                        what "make bench" takes besides
#   tests/deps.sh files                        what "make bench-files" does
#   tests/deps.sh next                         what "make check-next" does
#   tests/deps.sh stress                       what "make check-stress" does
#
# Kernels and their headers are not installed: tests/fetch.sh unpacks them
# under build/. Here is what building and running them takes.
set -eu
. "$(dirname "$0")/lib.sh"

build_packages() { echo "gcc make libc6-dev uuid-dev libblkid-dev"; }

style_packages() { echo "sparse shellcheck perl"; }

# The peers, plots, and what fetches word vectors and builds a kernel.
bench_packages() {
	echo "g++ libhnswlib-dev libfaiss-dev libopenblas-dev gnuplot-nox"
	echo "python3 npm xz-utils bc bison flex util-linux"
}

# They are put into the guest with the libraries that they need.
files_packages() { echo "fio dbench e2fsprogs python3"; }
stress_packages() { echo "fio stress-ng"; }

# To unpack another Debian and run programs in it.
next_packages() { echo "debootstrap debian-archive-keyring util-linux mount"; }

# Debian 12 builds its kernels with gcc-12; kbuild's programs need libelf, and
# pahole to describe the module's types. Images are compressed in various ways.
guest_packages() {
	echo "qemu-system-x86 cpio xz-utils zstd lz4 kmod gcc-12 dwarves libelf1"
	echo "dmsetup"
}

# A package whose job is done by a file from elsewhere is not missing.
satisfied() {
	case $1 in
	gcc|gcc-12|g++|make|cpio|sparse|shellcheck|perl|npm|python3|bc|bison|flex|\
	zstd|lz4)
		have "$1" ;;
	gnuplot-nox) have gnuplot ;;
	debootstrap) PATH=$PATH:/sbin:/usr/sbin have debootstrap ;;
	util-linux) have unshare ;;
	mount) have mount ;;
	dwarves) have pahole ;;
	xz-utils) have xz ;;
	kmod) PATH=$PATH:/sbin:/usr/sbin have depmod ;;
	qemu-system-x86) have qemu-system-x86_64 ;;
	uuid-dev) [ -f /usr/include/uuid/uuid.h ] ;;
	libblkid-dev) [ -f /usr/include/blkid/blkid.h ] ;;
	libc6-dev) [ -f /usr/include/stdlib.h ] ;;
	*) dpkg-query -W -f '${Status}' "$1" 2>/dev/null |
		grep -q 'ok installed' ;;
	esac
}

missing_of() {
	local p

	for p in "$@"; do
		satisfied "$p" || echo "$p"
	done
}

install_packages() {
	say "installing: $*"
	apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 \
		install "$@" </dev/null >"$BUILD/deps.log" 2>&1
}

main() {
	local groups=${*:-build guest style} g wanted="" missing

	for g in $groups; do
		case $g in
		build|guest|style|bench|files|next|stress) ;;
		*)
			die "no such group: $g (build, guest, style," \
				"bench, files, next, stress)" ;;
		esac
	done
	for g in $groups; do
		wanted+=" $("${g}_packages")"
	done
	# shellcheck disable=SC2086
	missing=$(missing_of $wanted | tr '\n' ' ')
	[ -n "$missing" ] || return 0

	if ! have apt-get || [ "$(id -u)" != 0 ]; then
		warn "these Debian 12 packages are needed; as root, run:"
		say "    apt install $missing" >&2
		return 1
	fi
	mkdir -p "$BUILD"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086
	install_packages $missing ||
		{ apt_refresh && install_packages $missing; } ||
		{ tail -n 20 "$BUILD/deps.log" >&2
		  die "could not install: $missing"; }
}

main "$@"
