#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds User-Mode Linux from Debian's kernel source, which takes some ten
# minutes the first time:
#
#   tests/uml/build.sh [debug]   the debug kernel, with KASAN, lockdep, UBSAN and
#                                kmemleak, in build/uml; "tests/guest/run.sh
#                                --kernel uml" runs it
#   tests/uml/build.sh bench     the one of "make bench", without any checks, in
#                                build/uml-bench
set -eu -o pipefail
. "$(dirname "$0")/../lib.sh"

name=${1:-debug}
case $name in
debug) dir=$BUILD/uml ;;
bench) dir=$BUILD/uml-bench ;;
*) die "usage: build.sh [debug|bench]" ;;
esac
src=$dir/src
config=$TOP/tests/uml/$name.config

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

# The kernel keeps 2,696 bytes of a process's vector registers. Processors with
# AMX have 11,008, and ptrace wants all of them back: without this, nothing runs
# there. More than there is does no harm, as ptrace says how much that is.
widen() {
	sed -i 's/(HOST_FP_SIZE, 2696)/(HOST_FP_SIZE, 12288)/' \
		"$src/arch/x86/um/user-offsets.c"
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
widen
cd "$src"
configure
say "building the $name kernel"
make -s -j"$(nproc)" ARCH=um >"$dir/build.log" 2>&1 ||
	{ tail -n 20 "$dir/build.log"; die "the $name kernel does not build"; }
mv linux "$dir/linux"
say "built $(cat include/config/kernel.release)"
