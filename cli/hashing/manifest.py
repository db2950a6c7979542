"""The manifest of a list of digests, and the canaries in the list.

A canary is the digest, under the client's key, of an address that nobody can have: the same in
every list made with that key. The campaign file names the canaries; a list without them was made
with another key or another recipe, or was truncated. The rules of a manifest are in
chalicelib/domain/files/manifest.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from chalicelib.domain.addresses import Address, DigestKey, digest
from cli.errors import CommandError

MAX_CANARIES = 100  # a manifest holds no more


def canary_address(number: int) -> str:
    """The address of a canary, counted from 1. `.invalid` never receives mail."""
    return f"tandem-canary-{number}@canary.invalid"


def canaries(key: DigestKey, count: int) -> list[str]:
    """The first `count` canaries under `key`, in hex."""
    return [
        digest(Address.parse(canary_address(number)).normalised, key)
        for number in range(1, count + 1)
    ]


def manifest_beside(target: Path) -> Path:
    """`lists/full.csv.gz` → `lists/full.manifest.json`. Raises CommandError for any other name."""
    for ending in (".csv", ".csv.gz"):
        if target.name.endswith(ending) and target.name != ending:
            return target.with_name(target.name.removesuffix(ending) + ".manifest.json")
    raise CommandError(f"{target}: a list is named NAME.csv or NAME.csv.gz")


def manifest_of(
    rows: int,
    sha256: str,
    key_id: str,
    generated_at: datetime,
    canaries: Sequence[str] = (),
    base_sha256: str | None = None,
) -> bytes:
    """The manifest of a list: rows without the header, SHA-256 of the file as it is dropped,
    digests that must be in it, and the SHA-256 of the full list that a delta is based on.
    """
    fields: dict[str, object] = {
        "rows": rows,
        "sha256": sha256,
        "key_id": key_id,
        "generated_at": generated_at.isoformat(timespec="seconds"),
        "canaries": list(canaries),
    }
    if base_sha256:
        fields["base"] = base_sha256
    return (json.dumps(fields, indent=2) + "\n").encode()
