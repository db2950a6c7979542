"""A per-line Python loop: `python -m bench.lists.contestants.of_loop LIST OUT`.

What one writes first: a set of records, sorted at the end. Every line is checked to be a digest.
OUT: the sorted distinct records, end to end, without header or directory.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(listed: str, out: str) -> None:
    """Raises ValueError on a line that is no digest."""
    records = set()
    with Path(listed).open("rb") as lines:
        for line in lines:
            digest = bytes.fromhex(line.strip().decode())
            if len(digest) != 32:
                raise ValueError("not a digest")
            records.add(digest[:16])
    Path(out).write_bytes(b"".join(sorted(records)))


if __name__ == "__main__":
    main(*sys.argv[1:])
