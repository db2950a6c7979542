"""The kinds of files that may be dropped under `in/{campaign}/`, by path.

    {list}/{full,add,remove}/*.csv[.gz]    {list}/{full,add,remove}/*.manifest.json
    orders/*.csv[.gz]                      codes/{template}/*.csv[.gz]
    acks/{export}.ack                      consents/*.csv[.gz]
    cohorts/*.csv[.gz]

Each but a manifest may be encrypted to us, and is then named `….pgp`.

The only place that knows these paths: a path is parsed here once, and services/ingest.py matches on
the result. Whether the campaign has that template or export is checked there. `public_path` is what
may be repeated of a path: the client names its files, and a name may be somebody's address.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote

from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.files.digests import has_at_sign
from chalicelib.domain.lists.model import ListMode


@dataclass(frozen=True)
class ListDrop:
    """A full list, or digests to add to one or to remove from it."""

    name: ListName
    mode: ListMode


@dataclass(frozen=True)
class ManifestDrop:
    """A manifest beside a list of that name and mode."""

    name: ListName
    mode: ListMode


@dataclass(frozen=True)
class OrdersDrop:
    """Orders the client reports."""


@dataclass(frozen=True)
class CodesDrop:
    """The client's own codes for vouchers of a template."""

    template: str


@dataclass(frozen=True)
class AckDrop:
    """The acknowledgement of an export; None where the name is not an export number."""

    number: int | None


@dataclass(frozen=True)
class ConsentsDrop:
    """Consents and withdrawals that people gave the client."""


@dataclass(frozen=True)
class CohortsDrop:
    """Newcomers of the client's other sources."""


DroppedFile = (
    ListDrop | ManifestDrop | OrdersDrop | CodesDrop | AckDrop | ConsentsDrop | CohortsDrop
)

ACKS = "acks/"  # the folder whose files may hold free text
PGP = ".pgp"
_CSV = r"[^/]+\.csv(?:\.gz)?(?:\.pgp)?"
_LIST = rf"({'|'.join(ListName)})/(full|add|remove)"
_EXPORT = re.compile(r"[0-9]{8}")
_SUFFIXES = (".manifest.json", ".csv.gz", ".csv", ".ack", ".csv.gz.pgp", ".csv.pgp", ".ack.pgp")
_LONGEST_PART = 255  # bytes
_LONGEST_PATH = 850  # bytes: a key has at most 1,024, with our folders and the name of a receipt


def parse_drop_path(path: str) -> DroppedFile | None:
    """What a file at that `path` under `in/{campaign}/` is; None for an unknown path."""
    for shape, parsed in _SHAPES:
        if match := shape.fullmatch(path):
            return parsed(*match.groups())
    return None


def names_an_address(path: str) -> bool:
    """Whether there is an @ anywhere in a path, also encoded for URLs, once or several times."""
    while not has_at_sign(path):
        decoded = unquote(path)
        if decoded == path:
            return False
        path = decoded
    return True


def public_path(path: str, sha256: str) -> str:
    """The path as receipts and quarantine have it: itself, unless it may not be repeated.

    A folder or name with an @ becomes `unnamed-` and the first 8 characters of the SHA-256 of the
    file's content: a digest of the name could be reversed by trying addresses. So does one that is
    too long, because what is written beside it would have a key that S3 refuses.
    """
    unnamed = f"unnamed-{sha256[:8]}"
    *folders, name = path.split("/")
    shown = [unnamed if _is_unfit(folder) else folder for folder in folders]
    shown.append(unnamed + _suffix(name) if _is_unfit(name) else name)
    whole = "/".join(shown)
    return whole if len(whole.encode()) <= _LONGEST_PATH else unnamed


def _is_unfit(part: str) -> bool:
    return names_an_address(part) or len(part.encode()) > _LONGEST_PART


def _suffix(name: str) -> str:
    return next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "")


def _list(name: str, mode: str) -> ListDrop:
    return ListDrop(ListName(name), cast(ListMode, mode))


def _manifest(name: str, mode: str) -> ManifestDrop:
    return ManifestDrop(ListName(name), cast(ListMode, mode))


def _ack(export: str) -> AckDrop:
    return AckDrop(int(export) if _EXPORT.fullmatch(export) else None)


_SHAPES: tuple[tuple[re.Pattern[str], Callable[..., DroppedFile]], ...] = (
    (re.compile(rf"{_LIST}/[^/]+\.manifest\.json"), _manifest),
    (re.compile(rf"{_LIST}/{_CSV}"), _list),
    (re.compile(rf"orders/{_CSV}"), OrdersDrop),
    (re.compile(rf"codes/([^/]+)/{_CSV}"), CodesDrop),
    (re.compile(rf"consents/{_CSV}"), ConsentsDrop),
    (re.compile(rf"cohorts/{_CSV}"), CohortsDrop),
    (re.compile(rf"{ACKS}([^/]+)\.ack(?:\.pgp)?"), _ack),
)
