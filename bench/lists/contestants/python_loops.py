"""What one writes first: a Python loop over the lines, with the standard library.

    … python_loops build LIST OUT            sorted distinct records, without header or directory
    … python_loops hash ADDRESSES KEY OUT    the digest of each address, gzipped

`build` checks that every line is a digest. `hash` trims and lower-cases an address; it knows
neither NFC nor IDNA nor the alias form, so it makes fewer digests than `tandem hash`.
"""

from __future__ import annotations

import csv
import gzip
import hmac
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def build(digest_list: str, out: str) -> None:
    """Raises ValueError on a line that is no digest."""
    records = set()
    with Path(digest_list).open("rb") as lines:
        for line in lines:
            digest = bytes.fromhex(line.strip().decode())
            if len(digest) != 32:
                raise ValueError("not a digest")
            records.add(digest[:16])
    Path(out).write_bytes(b"".join(sorted(records)))


def hash_addresses(addresses: str, key_file: str, out: str) -> None:
    """One digest a row."""
    key = bytes.fromhex(Path(key_file).read_text().strip())
    with (
        Path(addresses).open(encoding="utf-8", newline="") as rows,
        gzip.open(out, "wt", compresslevel=6, encoding="ascii", newline="") as digests,
    ):
        digests.write("digest\n")
        for row in csv.DictReader(rows):
            address = row["email"].strip().lower()
            digests.write(hmac.new(key, address.encode(), "sha256").hexdigest() + "\n")


if __name__ == "__main__":
    commands: Mapping[str, Callable[..., None]] = {"build": build, "hash": hash_addresses}
    commands[sys.argv[1]](*sys.argv[2:])
