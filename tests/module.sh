#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the module for one kernel release in build/module/RELEASE, from links
# to the sources, so that kernels do not disturb each other; prints the path.
#
#   tests/module.sh RELEASE|SERIES [sparse]
#
# Always at W=1. What compiler and checks say goes to stderr and to the file
# "warnings" beside the module; a file that drew a warning is built again next
# time, so that the warning is not lost. With "sparse", sparse runs over
# every file too, built or not, and writes the file "sparse".
set -eu -o pipefail
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/next.sh"

rel=$1
[[ " $KERNELS_ALL $KERNELS_NEXT uml uml-bench " != *" $1 "* ]] ||
	rel=$(release_of "$1") ||
	die "no kernel $1"
kdir=$(kdir_of "$rel")
[ -f "$kdir/Makefile" ] || die "no headers for $rel: tests/fetch.sh kernel ..."
dir=$BUILD/module/$rel
# The debug kernel runs the module with its assertions. Elsewhere nobody looks at
# what debuggers and BPF read, which takes a fifth of the time to make.
arch=(KCFLAGS=-g0 CONFIG_DEBUG_INFO_BTF_MODULES=)
case $rel in
*-vexfs-uml)
	# KASAN's zones make frames larger, and a warning builds it all again.
	arch=(ARCH=um CONFIG_VEXFS_FS_DEBUG=y KCFLAGS=-Wno-frame-larger-than) ;;
*-vexfs-bench) arch=(ARCH=um) ;;
esac

# Links for files that are new, and none for files that are gone.
link_sources() {
	local f

	(cd "$TOP" && find Kbuild fs include -type f \( -name '*.[ch]' -o \
		-name Kbuild -o -name Makefile \) ! -name '*.mod.c') |
		sort >"$dir/sources.new"
	cmp -s "$dir/sources.new" "$dir/sources" || {
		find "$dir" -type l -delete
		while read -r f; do
			mkdir -p "$dir/${f%/*}"
			[ "${f%/*}" != "$f" ] || rmdir "$dir/$f"
			ln -s "$TOP/$f" "$dir/$f"
		done <"$dir/sources.new"
		mv "$dir/sources.new" "$dir/sources"
	}
	rm -f "$dir/sources.new"
}

# Where programs of the headers don't run, inside the Debian that they are of.
kbuild() {
	local in=() at=$kdir

	if is_next "$rel"; then
		in=(in_next -b "$TOP" -b "$BUILD")
		at=${kdir#"$NEXT"}
	fi
	${in+"${in[@]}"} make -s -j"$(nproc)" -C "$at" M="$dir" \
		"${arch[@]}" W=1 "$@" 2>&1
}

# Debian's 6.1 headers have no vmlinux to make BTF from, and a compiler newer
# than the kernel's is no fault of the module.
expected() {
	grep -vE -e '^Skipping BTF generation|compiler differs from the one' \
		-e '^  (The kernel was built by|You are using):' || true
}

# Objects whose source is named by a warning are rebuilt next time; a header
# or modpost names all of them.
forget_warned() {
	local f

	if grep -qE '\.h:[0-9]|modpost' "$dir/warnings"; then
		find "$dir" -name '*.o' -delete
	fi
	grep -oE '^[^ :]+\.c:[0-9]' "$dir/warnings" | sort -u |
		while read -r f; do
			f=${f#"$dir/"}
			rm -f "$dir/${f%.c:*}.o"
		done
}

build_module() {
	local ok=0

	kbuild modules | expected >"$dir/warnings" || ok=$?
	cat "$dir/warnings" >&2
	forget_warned
	return $ok
}

mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9
link_sources
build_module || die "the module does not build for $rel"
if [ "${2:-}" = sparse ]; then
	# Checked apart from the build: all files, every time.
	kbuild C=2 CF=-D__CHECK_ENDIAN__ modules | expected |
		grep -vxFf "$dir/warnings" >"$dir/sparse" || true
	cat "$dir/sparse" >&2
fi
echo "$dir/fs/vexfs/vexfs.ko"
