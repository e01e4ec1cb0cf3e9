# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Builds the guest's root: busybox, the job's script and files, the shared
# libraries these need, and the kernel modules asked for. Sourced by run.sh,
# whose variables it uses.
# shellcheck disable=SC2154

root_create() {
	mkdir -p "$root"/{bin,sbin,job/bin,usr/bin,etc,root,lib}
	ln -s lib "$root/lib64"
	cp "$CACHE/busybox" "$root/bin/busybox"
	install -m 755 "$GUEST/init" "$root/init"
	cp "$GUEST/lib.sh" "$root/job/lib.sh"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'nobody:x:65534:65534:nobody:/:/bin/false' >>"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
}

# Programs bring the libraries that ldd names, at the place they were found.
root_add_libs() {
	local lib

	# ldd fails for a static program.
	{ LC_ALL=C ldd "$1" 2>/dev/null || true; } |
		sed -nE 's/^[^/]*(\/[^ ]+) \(0x.*/\1/p' |
		while read -r lib; do
			[ ! -e "$root$lib" ] || continue
			mkdir -p "$root${lib%/*}"
			cp -L "$lib" "$root$lib"
		done
}

is_elf() { [ "$(head -c 4 "$1" | tr -d '\177')" = ELF ]; }

# root_add_file SRC [DEST]: executables go to /job/bin (in the PATH), other
# files and folders to /job, unless DEST says where. All of an initramfs is
# copied at each boot: what is there to debug with is left out.
root_add_file() {
	local src=$1 dest=${2:-} f

	[ -e "$src" ] || die "no such file: $src"
	if [ -z "$dest" ]; then
		dest=/job/${src##*/}
		[ ! -f "$src" ] || [ ! -x "$src" ] || dest=/job/bin/${src##*/}
	fi
	mkdir -p "$root${dest%/*}"
	cp -RL "$src" "$root$dest"
	while IFS= read -r f; do
		is_elf "$f" || continue
		root_add_libs "$f"
		strip --strip-debug "$f"
	done < <(find "$root$dest" -type f -perm -100)
}

# The vexfs module and those named with --kmod stand where modprobe looks, so
# that mount(2) finds the filesystem by its alias.
root_add_modules() {
	local module=$1 mods dir dep
	shift

	mods=$CACHE/kernels/$release
	dir=$root/lib/modules/$release
	[ -n "$module$*" ] || return 0
	mkdir -p "$dir/extra"
	if [ "$kernel" = uml ]; then
		cp "$module" "$dir/extra/"
		depmod -b "$root" "$release" 2>/dev/null
		return
	fi
	cp "$mods/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} \
		"$dir/"
	[ -z "$module" ] ||
		strip --strip-debug -o "$dir/extra/${module##*/}" "$module"
	for dep; do
		modprobe -d "$mods" -S "$release" --show-depends "$dep" ||
			die "kernel $release has no module $dep"
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u |
		while read -r dep; do
			cp "$dep" "$dir/extra/"
		done
	depmod -b "$root" "$release"
}

root_pack() {
	(cd "$root" && find . | LC_ALL=C sort |
		cpio --quiet -o -H newc -R 0:0) >"$1"
}
