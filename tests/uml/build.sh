#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the debug kernel: User-Mode Linux from Debian's kernel source, with
# KASAN, lockdep, UBSAN and kmemleak, in build/uml/src. Takes some ten minutes
# the first time. "tests/guest/run.sh --kernel uml" runs it.
set -eu -o pipefail
. "$(dirname "$0")/../lib.sh"

src=$BUILD/uml/src
config=$TOP/tests/uml/debug.config

unpack() {
	local scratch

	[ ! -f "$src/Makefile" ] || return 0
	scratch=$(mktemp -d "$CACHE/uml.XXXXXX")
	(cd "$scratch" && say "downloading linux-source-$SOURCE_SERIES" &&
		apt-get -qq -o APT::Sandbox::User=root download \
			"linux-source-$SOURCE_SERIES" >&2 &&
		dpkg-deb --fsys-tarfile linux-source-*.deb |
			tar -x --wildcards '*/linux-source-*.tar.xz' &&
		mkdir new &&
		tar -xJf "$(find . -name 'linux-source-*.tar.xz')" -C new \
			--strip-components=1)
	mkdir -p "${src%/*}"
	mv "$scratch/new" "$src"
	rm -rf "$scratch"
}

configure() {
	[ "$config" -nt "$src/.config" ] || return 0
	make -s ARCH=um tinyconfig
	scripts/kconfig/merge_config.sh -m -O . .config "$config" >/dev/null
	make -s ARCH=um olddefconfig
	# A wish that Kconfig dropped would make the checks weaker unseen.
	grep '^CONFIG' "$config" | while read -r option; do
		grep -qxF "$option" .config || die "$option was not accepted"
	done
}

mkdir -p "$CACHE"
unpack
cd "$src"
configure
say "building the debug kernel"
make -s -j"$(nproc)" ARCH=um >"$BUILD/uml/build.log" 2>&1 ||
	{ tail -n 20 "$BUILD/uml/build.log"; die "the debug kernel does not build"; }
mv linux "$BUILD/uml/linux"
say "built $(cat include/config/kernel.release)"
