"""Tables in `out/` that are written once and never change: exports, changes and statements.

An interrupted run may have left the file, packed by another zlib than ours: the stored one counts.
One with other rows is of another table: its number, or its month, was used before the table was
restored to an earlier state. Nothing must be noted as written then, because what was to be written
is in no file.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from chalicelib.domain.files.writing import has_same_rows
from chalicelib.services.ports import FileMissingError, Files, OtherContentError


def content_of(files: Files, path: str) -> bytes | None:
    """A whole file, None when there is none."""
    try:
        return b"".join(files.read(path))
    except FileMissingError:
        return None


def files_of(path: str) -> tuple[str, str]:
    """A table and its manifest. `path` is without suffix."""
    return f"{path}.csv.gz", f"{path}.manifest.json"


def import_of(path: str) -> str:
    """The file beside a table that is made for import elsewhere. `path` is without suffix."""
    return f"{path}.import.csv.gz"


def write_table(
    files: Files, path: str, content: bytes, manifest_of: Callable[[bytes], bytes]
) -> bytes:
    """Write a gzipped table, then its manifest; returns the file that is in `out/`.

    `path` is without suffix; `manifest_of` makes the manifest of the stored file. Those that are
    there stay; `OtherContentError` when they are not of the same rows.
    """
    file, manifest = files_of(path)
    if not files.write_once(file, content, content_type="application/gzip"):
        stored = b"".join(files.read(file))
        if not has_same_rows(stored, content):
            raise OtherContentError(file)
        content = stored
    _write_manifest(files, manifest, manifest_of(content))
    return content


def write_import(files: Files, path: str, content: bytes) -> bytes:
    """Write the file for import beside a table that is there; returns the one that is in `out/`,
    which an earlier layout may have made: its table is the same. `path` is without suffix.
    """
    file = import_of(path)
    if files.write_once(file, content, content_type="application/gzip"):
        return content
    return b"".join(files.read(file))


def _write_manifest(files: Files, path: str, manifest: bytes) -> None:
    """One of an earlier version may have fewer members; it is of the same file if its hash is."""
    if files.write_once(path, manifest, content_type="application/json"):
        return
    if _sha256_in(b"".join(files.read(path))) != _sha256_in(manifest):
        raise OtherContentError(path)


def _sha256_in(manifest: bytes) -> object:
    try:
        members = json.loads(manifest)
    except ValueError:
        return None
    return members.get("sha256") if isinstance(members, dict) else None
