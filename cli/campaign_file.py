"""The campaign file: from YAML to a `Campaign`, or to one line per problem; and its JSON Schema.

Reading is all or nothing. All problems are reported together, in the order of the file, at the line
and column of the value; for an unknown or duplicate field, of its key; for a missing field, of the
group it belongs to. The rules of a campaign are in `domain.campaign`. What our own machines look at
besides (pictures, the client's key, what is probably not meant) is in `campaign_check`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from chalicelib.domain.campaign.brand import Picture
from chalicelib.domain.campaign.file import ASSIGNED, Campaign, EarlierZone
from chalicelib.domain.campaign.rules import MOST_RULES
from cli.documents import Document, DocumentError, FieldPath, Problem, read_document
from cli.errors import CommandError

_REASONS = {
    "missing": "is missing",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "decimal_type": "must be an amount like 10.00",
    "decimal_parsing": "must be an amount like 10.00",
    "finite_number": "must be an amount like 10.00",
    "model_type": "must be a group of fields, indented below it",
    "dict_type": "must be a group of fields, indented below it",
    "tuple_type": "must be a list, each item after a hyphen",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length}, has {actual_length}",
    "too_long": "must have at most {max_length}, has {actual_length}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "value_error": "{error}",
}
_TEXT_WANTED = frozenset({"string_type", "literal_error", "enum"})


def campaign_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors, without what no file contains."""
    schema = Campaign.model_json_schema()
    for name in ASSIGNED:
        del schema["properties"][name]
    for kind in (EarlierZone, Picture):
        del schema["$defs"][kind.__name__]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def schema_text() -> str:
    """The schema as published in docs/campaign.schema.json."""
    return json.dumps(campaign_schema(), indent=2, ensure_ascii=False) + "\n"


def campaign_text(campaign: Campaign) -> str:
    """A campaign as a file with all fields, including those the original omitted."""
    fields = campaign.model_dump(
        mode="json", by_alias=True, exclude=set(ASSIGNED), exclude_none=True
    )
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)


def read_rules(file: Path) -> Campaign:
    """The campaign in `file`, without its pictures, which need not be beside it.

    Raises CommandError with lines of the form `FILE:LINE:COL: field: reason`.
    """
    try:
        return campaign_of(file.read_bytes())
    except CampaignFileError as error:
        raise CommandError(*(line_of(file, problem) for problem in error.problems)) from error


class CampaignFileError(Exception):
    """The file is not a valid campaign; `problems` are in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = sorted(problems)


def campaign_of(content: bytes) -> Campaign:
    """The campaign in the bytes of a file. Raises CampaignFileError."""
    try:
        document = read_document(content)
    except DocumentError as error:
        raise CampaignFileError([error.problem]) from error
    problems = list(document.problems)
    for name in ASSIGNED:
        if (name,) in document.keys:
            reason = "is assigned when the file is put in force: remove it"
            problems.append(document.problem((name,), reason, at_key=True))
    try:
        campaign = Campaign.model_validate(document.value, by_name=False)
    except ValidationError as error:
        raise CampaignFileError([*problems, *_problems(error, document)]) from error
    if len(campaign.rules) > MOST_RULES:
        reason = f"a campaign has at most {MOST_RULES} rules, this one has {len(campaign.rules)}"
        problems.append(document.problem(("rules", MOST_RULES), reason))
    if problems:
        raise CampaignFileError(problems)
    return campaign


def line_of(file: Path, problem: Problem, kind: str = "") -> str:
    """A problem as it is printed: `FILE:LINE:COL: field: reason`."""
    field = f"{problem.path}: " if problem.path else ""
    return f"{file}:{problem.line}:{problem.column}: {kind}{field}{problem.reason}"


def _problems(error: ValidationError, document: Document) -> Iterator[Problem]:
    for detail in error.errors():
        path = tuple(step for step in detail["loc"] if step != "[key]")
        if path in document.broken or _is_consequence(detail):
            continue
        if detail["type"] == "value_error" and not path:
            yield from located(str(detail["ctx"]["error"]), document)
        else:
            at_key = detail["type"] in {"missing", "extra_forbidden"} or path != detail["loc"]
            yield document.problem(path, _reason(detail, path, document), at_key=at_key)


def _is_consequence(detail: ErrorDetails) -> bool:
    """True when a list is reported as too short only because its items are refused."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def located(text: str, document: Document) -> Iterator[Problem]:
    """Problems between fields, `path: reason; path: reason`, each at its place."""
    for part in filter(None, text.split("; ")):
        field, _, reason = part.partition(": ")
        path = tuple(int(step) if step.isdecimal() else step for step in field.split("."))
        yield document.problem(path, reason)


def _reason(detail: ErrorDetails, path: FieldPath, document: Document) -> str:
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return _unknown_field(path)
    if given is None:
        cut = document.is_cut_by_comment(path)
        return "is empty: a value that begins with # needs quotes" if cut else "is empty"
    if kind == "string_pattern_mismatch":
        pattern = detail["ctx"]["pattern"]
        return f"must be {_descriptions(campaign_schema()).get(pattern, f'like {pattern}')}"
    reason = _REASONS.get(kind, detail["msg"]).format_map(detail.get("ctx", {}))
    if kind in _TEXT_WANTED and isinstance(given, int | Decimal | date):
        return f'{reason}; put it in quotes: "{given}"'
    return reason


def _unknown_field(path: FieldPath) -> str:
    near = get_close_matches(str(path[-1]), _fields_at(path[:-1]), n=1)
    return f"unknown field; did you mean {near[0]}?" if near else "unknown field"


def _fields_at(path: FieldPath) -> list[str]:
    """The fields the schema knows in the group at `path`."""
    schema = campaign_schema()
    node: Any = schema
    for step in path:
        named = node.get("properties", {}).get(step)
        node = named or node.get("items") or next(iter(node["patternProperties"].values()))
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return list(node.get("properties", ()))


def _descriptions(node: Any) -> dict[str, str]:
    """The descriptions in a schema, by pattern."""
    found: dict[str, str] = {}
    if isinstance(node, Mapping):
        if isinstance(node.get("pattern"), str) and "description" in node:
            found[node["pattern"]] = node["description"]
        for child in node.values():
            found |= _descriptions(child)
    elif isinstance(node, list):
        for child in node:
            found |= _descriptions(child)
    return found
