# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What kernels of the next Debian take: their headers come with programs that
# need a newer C library, so a folder holds that Debian with a compiler, and
# commands are run inside. Sourced by fetch.sh and module.sh.

next_suite=trixie

# in_next [-b DIR]... COMMAND...: runs it as root of that Debian, with these
# folders where they are outside; the last is the current one. The mounts are
# of this command's namespace and so gone when it ends, whatever ends it.
in_next() {
	# shellcheck disable=SC2016
	unshare --mount sh -ec '
		root=$1
		shift
		mount --bind /proc "$root/proc"
		mount --rbind /dev "$root/dev"
		dir=/
		while [ "$1" = -b ]; do
			dir=$2
			mkdir -p "$root$dir"
			mount --bind "$dir" "$root$dir"
			shift 2
		done
		export PATH=/usr/sbin:/usr/bin:/sbin:/bin
		exec env -i DEBIAN_FRONTEND=noninteractive LC_ALL=C TERM=dumb \
			PATH="$PATH" chroot "$root" env -C "$dir" "$@"
	' next "$NEXT" "$@"
}

# The mirror that this machine has its own Debian from.
next_mirror() {
	local codename uri

	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' \
		'Created-By: Packages' "Release: $codename" | head -n 1)
	[ -n "$uri" ] || die "apt has no mirror of Debian $codename"
	echo "$uri"
}

# Its apt gets there as ours does, and reads what is signed by Debian.
next_sources() {
	local key=/usr/share/keyrings/debian-archive-keyring.gpg mirror=$1 suite

	for suite in "$next_suite" "$next_suite-backports"; do
		echo "deb [signed-by=$key] $mirror $suite main"
	done >"$2/etc/apt/sources.list"
	apt-config dump --format '%f "%v";%n' Acquire |
		grep -E 'Proxy.* "[^"]' >"$2/etc/apt/apt.conf.d/proxy" || true
	echo 'APT::Sandbox::User "root"; APT::Install-Recommends "false";' \
		>"$2/etc/apt/apt.conf.d/vexfs"
}

next_create() {
	local new=$NEXT.new mirror

	[ "$(id -u)" = 0 ] || die "a folder with Debian in it takes root to make"
	PATH=$PATH:/sbin:/usr/sbin
	have debootstrap || die "debootstrap is needed: tests/deps.sh next"
	mirror=$(next_mirror)
	say "unpacking Debian $next_suite"
	rm -rf "$new"
	debootstrap --variant=minbase --include=make \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		"$next_suite" "$new" "$mirror" >"$CACHE/next.log" 2>&1 ||
		{ tail -n 20 "$CACHE/next.log" >&2
		  die "debootstrap failed: $CACHE/next.log"; }
	next_sources "$mirror" "$new"
	mv "$new" "$NEXT"
}

# next_apt ARGUMENT...
next_apt() {
	in_next -b "$PWD" apt-get -qq "$@" </dev/null >>"$CACHE/next.log" 2>&1 ||
		{ tail -n 20 "$CACHE/next.log" >&2
		  die "apt-get $1 failed: $CACHE/next.log"; }
}

# The newest release of a series with headers and an image.
next_newest() {
	in_next apt-cache pkgnames "linux-headers-$1." |
		sed -n 's/^linux-headers-\(.*-cloud-amd64\)$/\1/p' |
		sort -V | tail -n 1 | grep .
}
