#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Reads build/bench.json; prints tables, plots recall against speed.

    report.py BENCH.json [PLOT-FOLDER]
    report.py --doc BENCH.json      fill Documentation/benchmarks.rst and images
"""

import json
import pathlib
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
PAGE = TOP / "Documentation" / "benchmarks.rst"
IMAGES = TOP / "Documentation" / "images"
BEGIN, END = ".. results begin", ".. results end"
RECALLS = (0.90, 0.95, 0.99)
# Nobody needs figures of a lower recall.
LOWEST = 0.80
PLOT = """\
set terminal {terminal} size {size} enhanced
set output '{out}'
set title '{title}' noenhanced
set xlabel 'recall\\@10'
set ylabel 'searches per second of CPU time'
set logscale y
set xrange [{low}:1.002]
set grid
set key outside right noenhanced
plot {curves}
"""


class Results:
    """The objects of a run, found by what they are about."""

    def __init__(self, path):
        every = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        self.machine = every[0]
        self.all = every[1:]
        self.sets = []
        for one in self.all:
            if one["what"] == "build" and one["data"] not in self.sets:
                self.sets.append(one["data"])

    def find(self, what, **want):
        """All objects of a kind whose fields are as wanted."""
        return [r for r in self.all if r["what"] == what
                and all(r.get(k) == v for k, v in want.items())]

    def one(self, what, **want):
        """The first of them, or an empty one."""
        return (self.find(what, **want) or [{}])[0]

    def lines(self, data):
        """Engines and batches that searched a data set, in order."""
        seen = []
        for r in self.find("curve", data=data):
            if (r["engine"], r["batch"]) not in seen:
                seen.append((r["engine"], r["batch"]))
        return seen


def num(value, digits=0):
    """A number with thousands apart; nothing for what was not measured."""
    return f"{value:,.{digits}f}" if value else ""


def table(head, rows):
    """A grid that reads well as it is and is reStructuredText too."""
    cells = [head] + [[str(c) or ".." for c in row] for row in rows]
    width = [max(len(row[i]) for row in cells) for i in range(len(head))]
    rule = " ".join("=" * w for w in width)
    text = [" ".join(c.ljust(w) for c, w in zip(row, width)).rstrip()
            for row in cells]
    return "\n".join([rule, text[0], rule] + text[1:] + [rule, ""])


def searches(res, data):
    """One row an engine: speed at the recalls, latency, build, memory."""
    base = res.one("build", data=data, engine="hnswlib")
    rows = []
    for engine, batch in res.lines(data):
        row = [engine, batch]
        for recall in RECALLS:
            r = res.one("search", data=data, engine=engine, batch=batch,
                        recall=recall)
            ratio = f" ({r['ratio']:.1f})" if r.get("ratio") else ""
            # One round has none.
            spread = f" ±{r['spread'] * 50:.0f}%" if "spread" in r else ""
            row.append(num(r.get("qps")) + ratio + spread)
        r = res.one("search", data=data, engine=engine, batch=batch,
                    recall=0.95)
        row.append(f"{num(r.get('p50_us'))} / {num(r.get('p99_us'))}"
                   if r.get("p50_us") else "")
        b = res.one("build", data=data, engine=engine)
        rate = b.get("vectors_per_s")
        ratio = ""
        if rate and base and engine != "hnswlib":
            ratio = f" ({rate / base['vectors_per_s']:.1f})"
        row.append(num(rate) + ratio)
        row.append(num(b.get("bytes_per_vector")))
        row.append(num(res.one("disk", data=data, engine=engine)
                       .get("bytes_per_vector")))
        rows.append(row)
    return table(["engine", "batch", "0.90", "0.95", "0.99",
                  "p50 / p99 us", "build/s", "bytes", "disk"], rows)


def scans(res):
    """Exact scans beside bandwidth and OpenBLAS."""
    rows = [[r["data"], r["engine"], r["what"], r["batch"],
             num(r.get("gb_per_s"), 1),
             num(r.get("vectors_per_s", 0) / 1e6, 1),
             num(r.get("ratio"), 2), f"±{r.get('spread', 0) * 50:.0f}%"]
            for r in res.find("bandwidth") + res.find("scan")]
    return table(["data", "engine", "what", "batch", "GB/s",
                  "M comparisons/s", "ratio", "spread"], rows) if rows else ""


def others(res):
    """Threads, searches beside inserts, appends."""
    rows = []
    for what in ("threads", "build-threads", "search-alone",
                 "search-beside-inserts", "append"):
        for r in res.find(what):
            rows.append([r["data"], r["engine"], what, r["threads"],
                         num(r.get("qps")), num(r.get("vectors_per_s")),
                         num(r.get("ratio"), 2)])
    return table(["data", "engine", "what", "threads", "searches/s",
                  "vectors/s", "ratio"], rows) if rows else ""


def module(res):
    """What the way through the ioctl costs."""
    rows = []
    for data in res.sets:
        for batch in (1, 32):
            for recall in RECALLS:
                pair = [res.one("search", data=data, engine=e, batch=batch,
                                recall=recall).get("qps")
                        for e in ("vexfs-native", "vexfs-kernel")]
                if not all(pair):
                    continue
                native, kernel = (1e6 / q for q in pair)
                rows.append([data, batch, f"{recall:.2f}", num(native, 1),
                             num(kernel, 1), f"{kernel - native:+.1f}",
                             f"{(kernel / native - 1) * 100:+.0f}%"])
    if not rows:
        return ""
    empty = res.one("empty-ioctl")
    text = table(["data", "batch", "recall", "native us", "module us",
                  "more us", "more"], rows)
    if empty:
        text += ("\nAn empty ioctl there takes "
                 f"{empty['p50_us']:.1f} us by the clock, "
                 f"{1e6 / empty['qps_cpu']:.1f} us of CPU time.\n")
    for r in res.find("fpu-section"):
        text += (f"\nPreemption is off for {r['p50_us']:.1f} us in the "
                 f"median of FPU sections ({r['data']}), 99 % of them take "
                 f"up to {r['p99_us']:.1f} us, 99.9 % up to "
                 f"{r['p999_us']:.1f} us.\n")
    return text


def cores(res):
    """On how many cores 100,000 searches a second are reached."""
    rows = []
    for data in res.sets:
        row = [data]
        for recall in RECALLS:
            best = max((r["qps"] for r in res.find("search", data=data,
                                                   recall=recall)
                        if r["engine"].startswith("vexfs")), default=0)
            row.append(num(100000 / best, 1) if best else "")
        rows.append(row)
    return table(["data", "0.90", "0.95", "0.99"], rows)


def about(machine):
    """The machine, in a sentence."""
    return (f"{machine['cpu']}, {machine['cpus']} processors, "
            f"{machine['l2_bytes'] >> 10} KiB L2, "
            f"{machine['l3_bytes'] >> 20} MiB L3, "
            f"{machine['memory_bytes'] / 2 ** 30:.0f} GiB; "
            f"{machine['flags']}; {machine['kernel']}; VexFS at "
            f"{machine['simd']}; M {machine['m']}, ef_construction "
            f"{machine['ef_construction']}, k {machine['k']}; "
            f"{machine['rounds']} rounds; {machine['date']}.\n")


def sections(res):
    """Headings and tables of all there is."""
    for data in res.sets:
        if res.lines(data):
            yield (f"{data}: searches per CPU-second (times hnswlib's) at "
                   "recall@10", searches(res, data))
    yield "Exact scans", scans(res)
    yield "Threads and appends, by the clock", others(res)
    yield "The module beside the native core, CPU time of a query", module(res)
    yield "Cores for 100,000 searches/s at recall@10", cores(res)


def curve_file(res, data, engine, batch, folder):
    """The points of a curve, for gnuplot."""
    path = folder / f"{data}-{engine}-{batch}.dat"
    points = sorted((r["recall"], r["qps"]) for r in res.find(
        "curve", data=data, engine=engine, batch=batch)
        if r.get("recall", 0) >= LOWEST)
    path.write_text("".join(f"{r} {q}\n" for r, q in points),
                    encoding="utf-8")
    return path if points else None


def plot(res, folder):
    """One plot a data set, as PNG and SVG; returns the names."""
    names = []
    if not shutil.which("gnuplot"):
        return names
    folder.mkdir(parents=True, exist_ok=True)
    for data in res.sets:
        curves = []
        for engine, batch in res.lines(data):
            path = curve_file(res, data, engine, batch, folder)
            if path:
                name = engine + (f", batch {batch}" if batch > 1 else "")
                curves.append(f"'{path}' with linespoints lw 2 "
                              f"title '{name}'")
        if not curves:
            continue
        for terminal, end, size in (("pngcairo", "png", "900,560"),
                                    ("svg", "svg", "900,560")):
            out = folder / f"{data}.{end}"
            script = PLOT.format(terminal=terminal, out=out, size=size,
                                 title=data, low=LOWEST,
                                 curves=", ".join(curves))
            done = subprocess.run(["gnuplot"], input=script, text=True,
                                  capture_output=True, check=False)
            if done.returncode and terminal == "pngcairo":
                script = script.replace("pngcairo", "png")
                done = subprocess.run(["gnuplot"], input=script, text=True,
                                      capture_output=True, check=False)
            if done.returncode:
                sys.exit(f"report.py: gnuplot: {done.stderr}")
        names.append(data)
    return names


def document(res):
    """Puts tables and plots into the page, between its two marks."""
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    text = [BEGIN + "\n", about(res.machine)]
    IMAGES.mkdir(parents=True, exist_ok=True)
    plots = plot(res, TOP / "build" / "bench" / "plots")
    for title, body in sections(res):
        if not body:
            continue
        text += [f"{title}\n{'-' * len(title)}\n", body]
        data = title.split(":")[0]
        if data in plots:
            for end in ("png", "svg"):
                shutil.copy(TOP / "build" / "bench" / "plots" /
                            f"{data}.{end}", IMAGES / f"bench-{data}.{end}")
            text.append(f".. image:: images/bench-{data}.svg\n"
                        f"   :alt: recall against speed, {data}\n")
    PAGE.write_text(head + "\n".join(text) + "\n" + END + tail,
                    encoding="utf-8")


def main():
    """Read the command line."""
    args = sys.argv[1:]
    if args and args[0] == "--doc" and len(args) == 2:
        document(Results(args[1]))
        return
    if not args or len(args) > 2:
        sys.exit(__doc__.strip())
    res = Results(args[0])
    print(about(res.machine))
    for title, body in sections(res):
        if body:
            print(f"{title}\n{body}")
    if len(args) == 2:
        plot(res, pathlib.Path(args[1]))


if __name__ == "__main__":
    main()
