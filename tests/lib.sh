# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Names and helpers shared by the host-side test scripts: where things are
# kept, which kernels are supported, and how a series ("6.1") becomes the
# release of a Debian package ("6.1.0-56-cloud-amd64").

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$TOP/build}
# Downloads can be shared by several checkouts: VEXFS_CACHE=DIR.
CACHE=${VEXFS_CACHE:-$BUILD/cache}
# shellcheck disable=SC2034
KERNELS_ALL="6.1 6.12"
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

# release_of SERIES: the kernel release to use. A kernel that was fetched
# before and whose headers are still installed wins, so that later runs need
# no network; otherwise the newest one apt knows with headers and an image.
release_of() {
	local series=$1 rel

	rel=$(cat "$CACHE/kernels/$series" 2>/dev/null) &&
		[ -f "$CACHE/kernels/$rel/vmlinuz" ] &&
		[ -d "/usr/src/linux-headers-$rel" ] &&
		echo "$rel" && return 0
	newest_release "$series"
}

newest_release() {
	local series=$1 rel

	have apt-cache || return 1
	rel=$(apt-cache pkgnames "linux-headers-$series." |
		sed -n 's/^linux-headers-\(.*[0-9].*-cloud-amd64\)$/\1/p' |
		sort -Vr | while read -r rel; do
			[ -n "$(image_package "$rel")" ] || continue
			echo "$rel"
			break
		done)
	[ -n "$rel" ] && echo "$rel"
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

generic_of() { echo "${1/-cloud-amd64/-amd64}"; }
