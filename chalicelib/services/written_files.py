"""Tables in `out/` that are written once and never change: exports, changes and statements.

An interrupted run may have left the file, packed by another zlib than ours: the stored one counts.
One with other rows is of another table: its number, or its month, was used before the table was
restored to an earlier state. Nothing must be noted as written then, because what was to be written
is in no file. An encrypted file never has the same bytes twice: it is compared by what is in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from chalicelib.domain.files.writing import Encrypted, has_same_rows
from chalicelib.services.encryption import Envelope
from chalicelib.services.file_ports import FileMissingError, Files, OtherContentError


def content_of(files: Files, path: str) -> bytes | None:
    """A whole file, None when there is none."""
    try:
        return b"".join(files.read(path))
    except FileMissingError:
        return None


def files_of(path: str, *, is_encrypted: bool = False) -> tuple[str, str]:
    """A table and its manifest. `path` is without suffix."""
    return f"{path}.csv.gz{'.pgp' if is_encrypted else ''}", f"{path}.manifest.json"


def stored_as(files: Files, path: str) -> set[bool]:
    """Under which names a table is there: True for the encrypted one. `path` is without suffix."""
    there = files.paths(path)
    return {one for one in (True, False) if files_of(path, is_encrypted=one)[0] in there}


def import_of(path: str, *, is_encrypted: bool = False) -> str:
    """The file beside a table that is made for import elsewhere. `path` is without suffix."""
    return f"{path}.import.csv.gz{'.pgp' if is_encrypted else ''}"


ManifestOf = Callable[[bytes, Encrypted | None], bytes]
"""The manifest of the stored file, and of what is in it where that is encrypted."""


def write_table(
    files: Files,
    path: str,
    content: bytes,
    manifest_of: ManifestOf,
    envelope: Envelope | None = None,
) -> bytes:
    """Write a gzipped table, then its manifest; returns the file that is in `out/`.

    `path` is without suffix; with an `envelope` the file is encrypted. Those that are there stay;
    `OtherContentError` when they are not of the same rows.
    """
    file, manifest = files_of(path, is_encrypted=envelope is not None)
    stored, plain = _write(files, file, content, envelope)
    if plain is not content and not has_same_rows(plain, content):
        raise OtherContentError(file)
    _write_manifest(
        files,
        manifest,
        manifest_of(stored, envelope.described(stored, plain) if envelope else None),
    )
    return stored


def write_import(
    files: Files, path: str, content: bytes, envelope: Envelope | None = None
) -> bytes:
    """Write the file for import beside a table that is there; returns the one that is in `out/`,
    which an earlier layout may have made: its table is the same. `path` is without suffix.
    """
    return _write(files, import_of(path, is_encrypted=envelope is not None), content, envelope)[0]


def _write(
    files: Files, file: str, content: bytes, envelope: Envelope | None
) -> tuple[bytes, bytes]:
    """Write a file unless one is there; what is there now, and what is in it: `content` itself
    where it was written now.
    """
    if envelope is None:
        if files.write_once(file, content, content_type="application/gzip"):
            return content, content
        stored = b"".join(files.read(file))
        return stored, stored
    # Looked for first: what is there may be for a key that nothing can be encrypted to any more.
    found = content_of(files, file)
    if found is None:
        sealed = envelope.seal(content)
        if files.write_once(file, sealed, content_type="application/pgp-encrypted"):
            return sealed, content
        found = b"".join(files.read(file))
    return found, envelope.open(found)


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
