"""What each version stored, from `items/`: see the README there."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.adapters.dynamodb import schema

FOLDER = Path(__file__).parent / "items"
NEXT = "next"
FACT = "FACT"
COUNT = "COUNT"

Item = dict[str, Any]
KINDS = {item_kind.kind: kind for kind, item_kind in schema.ITEM_KINDS.items()}


def kind_of(item: Item) -> str:
    """The kind of an item as it is stored; counts are stored without one."""
    return item["kind"]["S"] if "kind" in item else COUNT


@dataclass(frozen=True)
class Kept:
    """Items of one version by kind, messages of its queues, and files of its bucket."""

    items: dict[str, list[Item]]
    messages: list[str]
    files: dict[str, str]


def versions(of: str = "{}.json") -> list[str]:
    """The versions something is kept of, oldest first; what is not released yet is last."""
    before, after = of.split("{}")
    paths = [path.name for path in FOLDER.glob(of.format("*"))]
    names = {name.removeprefix(before).removesuffix(after) for name in paths}
    released = [name for name in names if re.fullmatch(r"[0-9.]+", name)]
    in_order = sorted(released, key=lambda name: [int(part) for part in name.split(".")])
    return [*in_order, *sorted(names & {NEXT})]


@cache
def kept(version: str) -> Kept:
    """What is kept of a version."""
    document = json.loads((FOLDER / f"{version}.json").read_bytes())
    return Kept(document["items"], document.get("messages", []), document.get("files", {}))


@dataclass(frozen=True)
class KeptWorld:
    """A whole small world as a version left it at `now`, with what was in the queue of decisions.

    `tokens` are those mailed to some referees, by first name; `codes_drawn` is how many ids, tokens
    and codes had been drawn by counting.
    """

    now: datetime
    items: list[Item]
    objects: dict[str, bytes]
    messages: list[str]
    tokens: dict[str, str]
    codes_drawn: int


@cache
def kept_world(version: str) -> KeptWorld:
    """The world of a version."""
    document = json.loads(gzip.decompress((FOLDER / f"world-{version}.json.gz").read_bytes()))
    return KeptWorld(
        now=datetime.fromisoformat(document["now"]),
        items=document["items"],
        objects={key: base64.b64decode(text) for key, text in document["objects"].items()},
        messages=document["messages"],
        tokens=document["tokens"],
        codes_drawn=document["codes_drawn"],
    )
