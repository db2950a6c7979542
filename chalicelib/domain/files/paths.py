"""The kinds of files that may be dropped under `in/{campaign}/`, by path.

    {list}/{full,add,remove}/*.csv[.gz]    {list}/{full,add,remove}/*.manifest.json
    orders/*.csv[.gz]                      codes/{template}/*.csv[.gz]
    acks/{export}.ack

The only place that knows these paths: a path is parsed here once, and services/ingest.py matches on
the result. Whether the campaign has that template or export is checked there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from chalicelib.domain.campaign.lists import ListName
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


DroppedFile = ListDrop | ManifestDrop | OrdersDrop | CodesDrop | AckDrop

ACKS = "acks/"  # the folder whose files may hold free text
_CSV = r"[^/]+\.csv(?:\.gz)?"
_LIST = rf"({'|'.join(ListName)})/(full|add|remove)"
_EXPORT = re.compile(r"[0-9]{8}")


def parse_drop_path(path: str) -> DroppedFile | None:
    """What a file at that `path` under `in/{campaign}/` is; None for an unknown path."""
    for shape, parsed in _SHAPES:
        if match := shape.fullmatch(path):
            return parsed(*match.groups())
    return None


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
    (re.compile(rf"{ACKS}([^/]+)\.ack"), _ack),
)
