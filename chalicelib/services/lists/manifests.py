"""The manifest beside a dropped list, and the key the list was made with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from chalicelib.domain.campaign.lists import DigestKeys
from chalicelib.domain.files.manifest import Manifest, beginning, parse_manifest
from chalicelib.domain.files.paths import PGP
from chalicelib.domain.files.reading import FileRefusedError
from chalicelib.services.file_ports import FileMissingError
from chalicelib.services.ports import Ports

FORMER_MANIFESTS = 20  # searched, the newest first


def key_id_of(keys: DigestKeys, manifest: Manifest | None) -> str:
    """The key the list was made with: the manifest's if in force, else the campaign's first.

    `FileRefusedError` where that is ambiguous: under the wrong key nobody would be found.
    """
    known = keys.key_ids
    if manifest and manifest.key_id in known:
        return manifest.key_id
    if len(known) > 1 and manifest is None:
        raise FileRefusedError("key_id_unknown_without_manifest")
    return known[0]


def manifest_beside(ports: Ports, campaign: str, path: str, sha256: str) -> Manifest | None:
    """The manifest of this file; a newer one at the same path may be another file's. That of an
    encrypted list is about what was encrypted: so is `sha256`.

    `FileRefusedError` for an invalid manifest.
    """
    stem = path.removesuffix(PGP).removesuffix(".gz").removesuffix(".csv")
    for beside in (f"{stem}.manifest.json", f"{path}.manifest.json"):
        key = f"in/{campaign}/{beside}"
        try:
            manifest = parse_manifest(beginning(ports.files.read(key)))
        except FileMissingError:
            continue
        if manifest.sha256 == sha256:
            return manifest
        return next(_former(ports, key, sha256), manifest)
    return None


def _former(ports: Ports, key: str, sha256: str) -> Iterator[Manifest]:
    for version in ports.files.versions(key)[1 : 1 + FORMER_MANIFESTS]:
        with suppress(FileRefusedError, FileMissingError):
            manifest = parse_manifest(beginning(ports.files.read(key, version)))
            if manifest.sha256 == sha256:
                yield manifest
