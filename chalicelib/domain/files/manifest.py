"""The manifest a client may put beside a list, describing the list it sent.

Refuses a missing or invalid member, of the four required and the two optional ones, with a reason
per member; unknown members are ignored. Whether the list agrees with it is checked in
domain/lists/rules.py.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.domain.files.reading import FileRefusedError

MAX_MANIFEST = 64 * 1024  # bytes
MAX_KEY_ID = 16  # bytes: its size in a segment's header
MAX_CANARIES = 100

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """`rows` without the header; `sha256` of the file as dropped, lower-case hex; aware time.

    `canaries` are digests that must be in the list; `base_sha256` is that of the full list which a
    delta is based on.
    """

    rows: int
    sha256: str
    key_id: str
    generated_at: datetime
    canaries: tuple[str, ...] = ()
    base_sha256: str | None = None


def beginning(chunks: Iterable[bytes]) -> bytes:
    """The start of a file: enough to see whether it is too large to be a manifest."""
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) > MAX_MANIFEST:
            break
    return start


def parse_manifest(content: bytes) -> Manifest:
    """Raises FileRefusedError: `manifest_too_large`, `manifest_not_json`, `manifest_{member}`."""
    members = _members(content)
    return Manifest(
        rows=_rows(members.get("rows")),
        sha256=_sha256(members.get("sha256"), "sha256"),
        key_id=_key_id(members.get("key_id")),
        generated_at=_generated_at(members.get("generated_at")),
        canaries=_canaries(members.get("canaries", [])),
        base_sha256=_sha256(members["base"], "base") if "base" in members else None,
    )


def _members(content: bytes) -> dict[str, object]:
    if len(content) > MAX_MANIFEST:
        raise FileRefusedError("manifest_too_large")
    try:
        members = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FileRefusedError("manifest_not_json") from error
    if not isinstance(members, dict):
        raise FileRefusedError("manifest_not_json")
    return members


def _rows(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise FileRefusedError("manifest_rows")
    return value


def _sha256(value: object, member: str) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise FileRefusedError(f"manifest_{member}")
    return value.lower()


def _canaries(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_CANARIES:
        raise FileRefusedError("manifest_canaries")
    return tuple(_sha256(digest, "canaries") for digest in value)


def _key_id(value: object) -> str:
    printable = isinstance(value, str) and value.isprintable() and value
    if not printable or len(printable.encode()) > MAX_KEY_ID:
        raise FileRefusedError("manifest_key_id")
    return printable


def _generated_at(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant and instant.tzinfo:
            instant.astimezone(UTC)
            return instant
    except (ValueError, OverflowError) as error:
        raise FileRefusedError("manifest_generated_at") from error
    raise FileRefusedError("manifest_generated_at")
