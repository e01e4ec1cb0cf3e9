# SPDX-License-Identifier: GPL-2.0
#
# Counts TAP (KTAP) results. Input: the output of test programs, each between
#	@@test begin NAME
#	@@test end NAME STATUS
# Prints each failure with its program's name, then "PASSED FAILED SKIPPED" as
# the last line. A program that prints no result, stops before its plan is
# done, fails without a "not ok" or never ends counts as one failure.

function bad(why) { failed++; print "FAIL " name ": " why }

function finish(status) {
	if (status == 4 && !results)
		skipped++
	else if (!results)
		bad("no test ran, status " status)
	else if (planned >= 0 && planned != results)
		bad(results " of " planned " planned tests ran")
	else if (status != 0 && !notok)
		bad("status " status)
	name = ""
}

/^@@test begin / {
	if (name != "")
		bad("did not finish")
	name = substr($0, 14)
	results = notok = 0
	planned = -1
	next
}
/^@@test end / { finish($NF); next }
/^1\.\.[0-9]+/ { planned = substr($1, 4) + 0; next }
/^ok( |$)/ {
	results++
	if (/# *[Ss][Kk][Ii][Pp]/)
		skipped++
	else
		passed++
	next
}
/^not ok( |$)/ {
	results++
	if (/# *(TODO|XFAIL)/) {
		skipped++
	} else {
		notok++
		bad($0)
	}
}
END {
	if (name != "")
		bad("did not finish")
	print passed + 0, failed + 0, skipped + 0
}
