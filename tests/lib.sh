# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Names and helpers shared by the host-side test scripts: where things are
# kept, which kernels are supported, and how a series ("6.1") becomes the
# release of a Debian package ("6.1.0-56-cloud-amd64").

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(realpath -m "${BUILD:-$TOP/build}")
# Downloads can be shared by several checkouts: VEXFS_CACHE=DIR.
CACHE=$(realpath -m "${VEXFS_CACHE:-$BUILD/cache}")
# shellcheck disable=SC2034
KERNELS_ALL="6.1 6.12"
# Of the next Debian, which is unpacked below NEXT: "make check-next".
KERNELS_NEXT="7.3"
NEXT=$CACHE/next
# The kernel series whose source package provides kselftest and checkpatch.
# shellcheck disable=SC2034
SOURCE_SERIES=6.12

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { warn "$*"; exit 1; }

have() { command -v "$1" >/dev/null 2>&1; }

# apt's package lists may be missing (a fresh container) or name versions that
# the mirror has dropped since; one refresh per script is enough for both.
apt_refresh() {
	[ -z "${apt_refreshed:-}" ] || return 0
	apt_refreshed=1
	[ "$(id -u)" = 0 ] || return 1
	say "refreshing apt's package lists"
	apt-get -qq update </dev/null
}

# release_of SERIES: the kernel release to use. One that was fetched before
# wins, so that later runs need no network; otherwise it is the newest one that
# apt knows with headers and an image.
release_of() {
	local rel

	case $1 in
	uml|uml-bench)
		cat "$BUILD/$1/src/include/config/kernel.release"
		return ;;
	esac

	rel=$(cat "$CACHE/kernels/$1" 2>/dev/null) && [ -n "$rel" ] &&
		[ -f "$CACHE/kernels/$rel/vmlinux" ] &&
		[ -f "$(kdir_of "$rel")/Makefile" ] &&
		[ -f "$(kdir_of "$(generic_of "$rel")")/Makefile" ] &&
		echo "$rel" && return 0
	! is_next "$1" && newest_release "$1"
}

newest_release() {
	local rel

	have apt-cache || return 1
	for rel in $(apt-cache pkgnames "linux-headers-$1." |
		     sed -n 's/^linux-headers-\(.*-cloud-amd64\)$/\1/p' |
		     sort -Vr); do
		if image_package "$rel" >/dev/null; then
			echo "$rel"
			return 0
		fi
	done
	return 1
}

# Debian's signed image carries the same vmlinux; either will do.
image_package() {
	local p

	for p in "linux-image-$1" "linux-image-$1-unsigned"; do
		if [ -n "$(apt-cache policy "$p" 2>/dev/null |
			   sed -n 's/^ *Candidate: *\([^(].*\)/\1/p')" ]; then
			echo "$p"
			return 0
		fi
	done
	return 1
}

# is_next SERIES|RELEASE
is_next() {
	local series

	for series in $KERNELS_NEXT; do
		[[ $1. != "$series".* ]] || return 0
	done
	return 1
}

# The other flavour of the same release, and where headers are. Of the next
# kernel there is only one.
generic_of() {
	if is_next "$1"; then echo "$1"; else echo "${1/-cloud-amd64/-amd64}"; fi
}

kdir_of() {
	local root=$CACHE/headers

	! is_next "$1" || root=$NEXT
	case $1 in
	*-vexfs-uml) echo "$BUILD/uml/src" ;;
	*-vexfs-bench) echo "$BUILD/uml-bench/src" ;;
	*) echo "$root/usr/src/linux-headers-$1" ;;
	esac
}
