"""A per-line loop of `csv`, `hmac` and `gzip`: `… of_hash_loop ADDRESSES KEY_FILE OUT`.

What one writes first: it trims and lower-cases, and knows neither NFC nor IDNA nor the canonical
form, so it makes fewer digests than `tandem hash` and checks nothing.
"""

from __future__ import annotations

import csv
import gzip
import hmac
import sys
from pathlib import Path


def main(addresses: str, key_file: str, out: str) -> None:
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
    main(*sys.argv[1:])
