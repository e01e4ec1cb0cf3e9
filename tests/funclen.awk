# SPDX-License-Identifier: GPL-2.0
#
# Names functions of more than 120 lines in kernel-style C: a body opens with a
# brace in the first column and closes with one.

/^\{/ { start = NR; next }
/^\}/ {
	if (start && NR - start - 1 > 120)
		print FILENAME ":" start ": function of " NR - start - 1 " lines"
	start = 0
}
