#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Style and build checks, one TAP line each: the module at W=1 against every
# supported header package and under sparse, checkpatch on every C file, the
# rules on the length of files and functions, and on every script "bash -n" and
# the shellcheck program.
#
#   tests/lint.sh [modules] [sources] [scripts]     (default: all)
set -u
cd "$(dirname "$0")/.." || exit
. tests/lib.sh

n=0 bad=0

# check NAME COMMAND...: passes when the command prints nothing.
check() {
	local name=$1 out
	shift

	n=$((n + 1))
	out=$("$@" 2>&1)
	if [ -z "$out" ]; then
		say "ok $n $name"
	else
		bad=$((bad + 1))
		# Indented: what a tool prints must not look like a result.
		[ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/    /'
		say "not ok $n $name"
	fi
}

# files NAME-PATTERN...: the tree's own files; without git, all but what is made.
files() {
	git ls-files -co --exclude-standard -- "$@" 2>/dev/null && return
	local p names=()

	for p in "${@:-*}"; do
		names+=(-o -name "$p")
	done
	find . \( -path ./build -o -path ./.git \) -prune -o -type f \
		\( "${names[@]:1}" \) ! -name '*.mod.c' -print |
		sed 's|^\./||' | sort
}

# ------------------------------------------------------------------ module
# tests/module.sh prints the module's path on stdout, complaints on stderr.
module_quiet() { tests/module.sh "$1" >/dev/null; }
installed_release() { generic_of "$(release_of "$SOURCE_SERIES")"; }
sparse_quiet() { tests/module.sh "$1" sparse >/dev/null; }

lint_modules() {
	local series rel flavour

	for series in $KERNELS_ALL; do
		rel=$(release_of "$series") ||
			{ check "headers for $series" echo "none"; continue; }
		for flavour in "$rel" "$(generic_of "$rel")"; do
			# That one is built by "make check"'s step install.
			[ "$flavour" = "$(installed_release)" ] ||
				check "W=1 $flavour" module_quiet "$flavour"
		done
	done
	# What sparse sees is the same on all of them.
	rel=$(release_of "$SOURCE_SERIES")
	check "sparse $rel" sparse_quiet "$rel"
}

# ----------------------------------------------------------------- sources
# Not in a kernel tree and not patches: there is no MAINTAINERS to update.
IGNORE=FILE_PATH_CHANGES
# compat.h exists to compare versions.
IGNORE_COMPAT=$IGNORE,LINUX_VERSION_CODE,CONSTANT_COMPARISON,LINE_SPACING
IGNORE_COMPAT+=,MACRO_ARG_UNUSED
# The kernel's own tracepoints are written like this.
IGNORE_TRACE=$IGNORE,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
# What programs include cannot use the kernel's BIT().
IGNORE_HEADERS=$IGNORE,BIT_MACRO
# Programs have no ARRAY_SIZE, kstrto*, strscpy or __printf(); a signal handler
# needs a volatile flag, and "list" in a message of
# theirs is a word that a user reads, not the function's name.
IGNORE_USER=$IGNORE_HEADERS,ARRAY_SIZE,CONSIDER_KSTRTO,SSCANF_TO_KSTRTO
IGNORE_USER+=,NAKED_SSCANF,STRCPY,STRNCPY,STRLCPY,PREFER_KERNEL_TYPES
IGNORE_USER+=,EMBEDDED_FUNCTION_NAME,VOLATILE,PREFER_DEFINED_ATTRIBUTE_MACRO

# The kernel's own macros for userspace: what is frowned on in code that uses
# them is what they are made of.
IGNORE_SHIM=$IGNORE_USER,AVOID_BUG,COMPLEX_MACRO,DATA_RACE,EXPORT_SYMBOL
IGNORE_SHIM+=,IS_ENABLED_CONFIG,MACRO_ARG_PRECEDENCE,MACRO_ARG_REUSE
IGNORE_SHIM+=,MACRO_ARG_UNUSED,MEMORY_BARRIER,MINMAX,NEW_TYPEDEFS,SPACING
IGNORE_SHIM+=,SYMBOLIC_PERMS,UNSPECIFIED_INT

# The macros of kselftest's harness end in an optional statement: an if around
# one needs its braces.
IGNORE_SELFTEST=$IGNORE_USER,BRACES

# Vector types exist by typedef only; checkpatch takes their literals and
# hexadecimal floats for something else, names are made by token pasting, and
# macros list the lanes of a shuffle.
IGNORE_VECTORS=$IGNORE,NEW_TYPEDEFS,PREFER_DEFINED_ATTRIBUTE_MACRO,SPACING
IGNORE_VECTORS+=,MACRO_ARG_REUSE,COMPLEX_MACRO

ignore_for() {
	case $1 in
	tools/lib/kshim*.h) echo "$IGNORE_SHIM" ;;
	fs/vexfs/compat*.h) echo "$IGNORE_COMPAT" ;;
	fs/vexfs/trace.h) echo "$IGNORE_TRACE" ;;
	fs/vexfs/simd/*_tmpl.h|fs/vexfs/simd/dist_*.c|\
	fs/vexfs/simd/project_*.c|fs/vexfs/simd/sign_*.c|\
	fs/vexfs/simd/simd_priv.h)
		echo "$IGNORE_VECTORS" ;;
	tests/selftests/*) echo "$IGNORE_SELFTEST" ;;
	# The names of BLAS.
	bench/sgemm.c) echo "$IGNORE_USER,CAMELCASE" ;;
	fs/*) echo "$IGNORE" ;;
	include/*) echo "$IGNORE_HEADERS" ;;
	*) echo "$IGNORE_USER" ;;
	esac
}

# One run for all files that are held to the same rules.
checkpatch() {
	local ignore=$1
	shift

	[ $# = 0 ] || perl "$CACHE/source/scripts/checkpatch.pl" --no-tree \
		--strict --quiet --no-summary --terse --show-types \
		--ignore "$ignore" -f "$@"
}

checkpatch_all() {
	local f ignore
	local -A group=()

	for f; do
		group[$(ignore_for "$f")]+=" $f"
	done
	for ignore in "${!group[@]}"; do
		# shellcheck disable=SC2086
		checkpatch "$ignore" ${group[$ignore]} &
	done
	wait
}

file_length() { awk 'END { if (NR > 900) print NR " lines" }' "$1"; }

function_length() { awk -f tests/funclen.awk "$1"; }

source_checks() {
	grep -F "$1:" "$BUILD/lint.checkpatch"
	file_length "$1"
	function_length "$1"
}

lint_sources() {
	local f list=()

	tests/fetch.sh source >&2
	mapfile -t list < <(files '*.c' '*.h')
	checkpatch_all "${list[@]}" >"$BUILD/lint.checkpatch" 2>&1
	# What is no remark on a file is trouble with checkpatch itself.
	check "checkpatch runs" grep -vE '^[^ :]+:[0-9]+: [A-Z]+:' \
		"$BUILD/lint.checkpatch"
	for f in "${list[@]}"; do
		check "style $f" source_checks "$f"
	done
}

# ----------------------------------------------------------------- scripts
script_files() {
	local f

	files | while read -r f; do
		case $f in
		*.sh) echo "$f" ;;
		*.*) ;;
		*)
			! head -n 1 "$f" 2>/dev/null |
				grep -qE '^#!.*\b(ba)?sh\b' || echo "$f" ;;
		esac
	done
}

syntax() {
	if head -n 5 "$1" | grep -qE '^#!.*bash|shell=bash'; then
		bash -n "$1"
	else
		"$CACHE/busybox" sh -n "$1"
	fi
}

lint_scripts() {
	local f

	tests/fetch.sh busybox >&2
	for f in $(script_files); do
		check "syntax $f" syntax "$f"
		check "shellcheck $f" shellcheck -x -e SC1090,SC1091 "$f"
	done
}

mkdir -p "$BUILD"
[ $# -gt 0 ] || set -- modules sources scripts
for part; do
	"lint_$part"
done
say "1..$n"
[ "$bad" = 0 ]
