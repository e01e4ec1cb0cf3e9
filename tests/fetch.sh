#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Downloads Debian packages and unpacks what the tests use of them, without
# installing anything:
#
#   tests/fetch.sh kernel SERIES   cache/kernels/RELEASE: vmlinuz, vmlinux,
#                                  modules
#                                  cache/headers: headers of both flavours
#                                  cache/next: for a kernel of the next Debian
#                                  that system with its headers and compiler
#   tests/fetch.sh busybox         cache/busybox
#   tests/fetch.sh source          cache/source: kselftest and checkpatch
#
# What is there already is kept. VEXFS_CACHE names a folder to share. Headers
# are not installed because Debian's 6.12 ones depend on the kernel image,
# which would go to /boot.
set -eu
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/next.sh"

# Downloads PACKAGE into the current folder and prints the file's name.
download() {
	have apt-get || die "$1 is needed and there is no apt-get to get it"
	# The refresh is for lists that name a version the mirror dropped.
	say "downloading $1" >&2
	apt-get -qq -o APT::Sandbox::User=root download "$1" >&2 ||
		{ apt_refresh >&2 &&
		  apt-get -qq -o APT::Sandbox::User=root download "$1" >&2; } ||
		die "could not download $1"
	ls -- "${1%%=*}"_*.deb
}

in_scratch() {
	rm -rf "${scratch:-}"
	scratch=$(mktemp -d "$CACHE/fetch.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	cd "$scratch"
}

fetch_kernel() {
	local series=$1 rel

	if is_next "$series"; then
		fetch_next "$series"
		return
	fi
	rel=$(release_of "$series") ||
		{ apt_refresh && rel=$(release_of "$series"); } ||
		die "apt knows no Debian cloud kernel $series"
	[ -f "$CACHE/kernels/$rel/vmlinuz" ] || fetch_image "$rel"
	[ -f "$CACHE/kernels/$rel/vmlinux" ] ||
		unpack_image "$CACHE/kernels/$rel"
	fetch_headers "$rel"
	fetch_headers "$(generic_of "$rel")"
	kernel_is "$series" "$rel"
}

# The headers are installed where programs of theirs run; the image is only
# unpacked.
fetch_next() {
	local series=$1 rel

	! release_of "$series" >/dev/null || return 0
	[ -d "$NEXT" ] || next_create
	say "downloading the headers of kernel $series"
	next_apt update
	rel=$(next_newest "$series") || die "no Debian cloud kernel $series"
	next_apt install binutils "linux-headers-$rel"
	[ -f "$CACHE/kernels/$rel/vmlinuz" ] || fetch_next_image "$rel"
	[ -f "$CACHE/kernels/$rel/vmlinux" ] ||
		unpack_image "$CACHE/kernels/$rel"
	kernel_is "$series" "$rel"
}

fetch_next_image() {
	local rel=$1 deb

	in_scratch
	say "downloading the image of kernel $rel"
	next_apt download "linux-base-$rel" "linux-binary-$rel" \
		"linux-modules-$rel"
	for deb in *.deb; do
		dpkg-deb -x "$deb" unpacked
	done
	mkdir -p new/lib
	mv unpacked/usr/lib/modules new/lib/modules
	mv "new/lib/modules/$rel"/{vmlinuz,config} new/
	keep_image "$rel"
}

# What stands in "new".
keep_image() {
	PATH=$PATH:/sbin:/usr/sbin depmod -b new "$1"
	mkdir -p "$CACHE/kernels"
	rm -rf "$CACHE/kernels/${1:?}"
	mv new "$CACHE/kernels/$1"
}

kernel_is() {
	echo "$2" >"$CACHE/kernels/$1.new"
	mv "$CACHE/kernels/$1.new" "$CACHE/kernels/$1"
}

fetch_image() {
	local rel=$1 pkg deb

	pkg=$(image_package "$rel") || die "no image package for $rel"
	in_scratch
	deb=$(download "$pkg")
	dpkg-deb -x "$deb" unpacked
	mkdir -p new/lib
	cp unpacked/boot/vmlinuz-* new/vmlinuz
	cp unpacked/boot/config-* new/config
	mv unpacked/lib/modules new/lib/modules
	keep_image "$rel"
}

# le FILE OFFSET BYTES: an unsigned number.
le() { od -A n -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; }

# The kernel as it is in memory, for the emulator to load: it would take
# seconds of each boot to decompress it itself. Where that is and how long the
# image's header says; the last four bytes are the size.
unpack_image() {
	local image=$1/vmlinuz at len

	at=$((($(le "$image" 497 1) + 1) * 512 + $(le "$image" 584 4)))
	len=$(le "$image" 588 4)
	say "unpacking the kernel of ${1##*/}"
	in_scratch
	tail -c "+$((at + 1))" "$image" | head -c "$((len - 4))" >payload
	case $(head -c 4 payload | od -A n -t x1 | tr -d ' ') in
	28b52ffd) zstd -qdc payload ;;
	02214c18) lz4 -qdc payload ;;
	*) xz -qdc payload ;;
	esac >vmlinux || die "can't unpack $image"
	mv vmlinux "$1/vmlinux"
}

# The package, and those of the part that is common to the flavours and of the
# build scripts. The Makefile names the common one by an absolute path; written
# last, it says that all is there.
fetch_headers() {
	local rel=$1 kdir deb pkg

	kdir=$(kdir_of "$rel")
	[ ! -f "$kdir/Makefile" ] || return 0
	in_scratch
	mkdir -p "$CACHE/headers"
	deb=$(download "linux-headers-$rel")
	for pkg in $(dpkg-deb -f "$deb" Depends |
		     grep -oE 'linux-(headers-[^ ,]*-common|kbuild-[^ ,]*)'); do
		[ ! -f "$CACHE/headers/$pkg" ] || continue
		dpkg-deb -x "$(download "$pkg")" "$CACHE/headers"
		touch "$CACHE/headers/$pkg"
	done
	dpkg-deb -x "$deb" unpacked
	# shellcheck disable=SC2016
	sed 's|^include /usr/src/\(.*\)|include $(realpath $(dir $(lastword $(MAKEFILE_LIST)))../\1)|' \
		"unpacked/usr/src/${kdir##*/}/Makefile" >Makefile
	rm -f "unpacked/usr/src/${kdir##*/}/Makefile"
	rm -rf "$kdir"
	mv "unpacked/usr/src/${kdir##*/}" "$kdir"
	mv Makefile "$kdir/Makefile"
}

fetch_busybox() {
	local deb

	[ ! -x "$CACHE/busybox" ] || return 0
	in_scratch
	deb=$(download busybox-static)
	dpkg-deb -x "$deb" unpacked
	# /usr/bin on systems where /bin is a link to it.
	mv "$(find unpacked -type f -path '*bin/busybox')" "$CACHE/busybox"
}

# The archive has to be decompressed to its end whatever is taken from it.
fetch_source() {
	local dest=$CACHE/source deb tar root

	[ ! -f "$dest/scripts/checkpatch.pl" ] || return 0
	in_scratch
	deb=$(download "linux-source-$SOURCE_SERIES")
	dpkg-deb --fsys-tarfile "$deb" | tar -x --wildcards '*/linux-source-*.tar.xz'
	tar=$(find . -name 'linux-source-*.tar.xz')
	root=linux-source-$SOURCE_SERIES
	mkdir new
	say "unpacking kselftest and checkpatch"
	tar -xJf "$tar" -C new --strip-components=1 \
		"$root/scripts/checkpatch.pl" "$root/scripts/spelling.txt" \
		"$root/scripts/const_structs.checkpatch" \
		"$root/scripts/subarch.include" \
		"$root/tools/testing/selftests/lib.mk" \
		"$root/tools/testing/selftests/kselftest.h" \
		"$root/tools/testing/selftests/kselftest_harness.h" \
		"$root/tools/testing/selftests/kselftest"
	rm -rf "$dest"
	mv new "$dest"
}

main() {
	local what=${1:-}

	mkdir -p "$CACHE"
	exec 9>"$CACHE/.lock"
	flock 9
	case $what in
	kernel) fetch_kernel "$2" ;;
	busybox) fetch_busybox ;;
	source) fetch_source ;;
	*) die "usage: fetch.sh kernel SERIES | busybox | source" ;;
	esac
}

main "$@"
