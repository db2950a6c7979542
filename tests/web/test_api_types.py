"""The types the page scripts are checked against are those of the API.

web/types/api.d.ts is written by hand; each interface has the name of a schema of the OpenAPI
document and may leave out fields that no page reads.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TYPES = (ROOT / "web/types/api.d.ts").read_text("utf-8")
INTERFACES = dict(re.findall(r"^interface (\w+) \{\n(.*?)^\}", TYPES, re.MULTILINE | re.DOTALL))
SCHEMAS: dict[str, Any] = json.loads((ROOT / "docs/openapi.json").read_text("utf-8"))["components"][
    "schemas"
]


def test_there_are_interfaces_to_compare() -> None:
    assert len(INTERFACES) > 10


@pytest.mark.parametrize("name", INTERFACES)
def test_an_interface_has_fields_of_the_schema_only(name: str) -> None:
    schema = SCHEMAS[name]
    fields = re.findall(r"^  (\w+)(\??):", INTERFACES[name], re.MULTILINE)
    assert fields
    for field, optional in fields:
        assert field in schema["properties"]
        assert bool(optional) == (field not in schema.get("required", ())), field


@pytest.mark.parametrize("name", INTERFACES)
def test_a_state_of_an_interface_has_the_values_of_the_schema(name: str) -> None:
    enumerated = re.compile(r'^  (\w+): ((?:"\w+"(?: \| )?)+);', re.MULTILINE)
    for field, values in enumerated.findall(INTERFACES[name]):
        schema = SCHEMAS[name]["properties"][field]
        assert re.findall(r'"(\w+)"', values) == schema["enum"]
