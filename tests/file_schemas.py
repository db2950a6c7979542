"""Whether a file under `out/` is as docs/schemas/ says."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[1] / "docs/schemas"
NUMBERED = {"vouchers": "export", "changes": "changes", "consents": "consents"}
_FILE = re.compile(
    r"out/[^/]+/(?P<folder>vouchers|changes|consents|statements|referrals|receipts)/"
    r"(?P<name>.+?)(?P<suffix>\.csv\.gz|\.manifest\.json|\.json)$"
)


@cache
def validator(name: str) -> Draft202012Validator:
    """That of `docs/schemas/{name}.schema.json`."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def schema_of(path: str) -> str | None:
    """The name of the schema of a file, None for one that has none."""
    found = _FILE.match(path)
    if found is None or found["name"].endswith(".import"):  # whose columns a campaign declares
        return None
    if found["folder"] == "receipts":
        return "receipt"
    kinds = {**NUMBERED, "statements": "statement", "referrals": "referrals"}
    kind = kinds[found["folder"]]
    return kind if found["suffix"] == ".csv.gz" else f"{kind}-manifest"


def wrong_with(path: str, content: bytes) -> list[str]:
    """What of a file is not as its schema says."""
    name = schema_of(path)
    if name is None:
        return []
    return [
        f"{path}, row {number}: {error.json_path} {error.message}"
        for number, each in enumerate(_objects(path, content), 1)
        for error in validator(name).iter_errors(each)
    ]


def _objects(path: str, content: bytes) -> Iterator[Mapping[str, Any]]:
    if path.endswith(".json"):
        yield json.loads(content)
    else:
        text = io.StringIO(gzip.decompress(content).decode(), newline="")
        yield from csv.DictReader(text)
