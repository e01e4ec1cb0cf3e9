#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Reads what the guest of "make bench-files" measured; prints medians and their
ratios, and writes them as JSON.

    report.py GUEST.log OUT.json
"""

import json
import math
import re
import statistics
import sys

LINE = re.compile(r"^ *@@bench (vexfs|ext4) (\S+) (\S+) (\S+)$")


def read(path):
    """{test: (unit, {filesystem: [value, ...]})}, in order of appearance."""
    tests = {}
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            match = LINE.match(line)
            if match:
                fs, test, unit, value = match.groups()
                values = tests.setdefault(test, (unit, {}))[1]
                values.setdefault(fs, []).append(float(value))
    return tests


def compare(tests):
    """One object a test that both filesystems did."""
    rows = []
    for test, (unit, values) in tests.items():
        if len(values) == 2:
            vexfs = statistics.median(values["vexfs"])
            ext4 = statistics.median(values["ext4"])
            rows.append({"test": test, "vexfs": round(vexfs, 4),
                         "ext4": round(ext4, 4), "unit": unit,
                         "ratio": round(vexfs / ext4, 3)})
    return rows


def main():
    """Exits with 1 when nothing was measured."""
    rows = compare(read(sys.argv[1]))
    if not rows:
        print("nothing was measured", file=sys.stderr)
        return 1
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")
    rule = " ".join("=" * n for n in (22, 12, 12, 6, 6))
    print(rule)
    print(f"{'test':22} {'vexfs':>12} {'ext4':>12} {'unit':6} {'ratio':>6}")
    print(rule)
    for r in rows:
        print(f"{r['test']:22} {r['vexfs']:12.2f} {r['ext4']:12.2f} "
              f"{r['unit']:6} {r['ratio']:6.2f}")
    print(rule)
    mean = math.exp(statistics.fmean(math.log(r["ratio"]) for r in rows))
    print(f"geometric mean of the ratios: {mean:.3f}, lowest "
          f"{min(r['ratio'] for r in rows):.2f} (higher is better for vexfs)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
