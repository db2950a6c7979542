"""What a release stores and what it can read: whether the one before it can take over again.

A release is deployed with the shapes of its items and facts, made from the code: JSON Schema, as
pydantic reads them, and beside it the fields that are never left out. A later release reads
whatever an earlier one stored (`tests/contract`); the way back is open only if the earlier one
reads what the later one stores, which is compared here, field by field.

A field that only the later one has is no matter: the earlier one takes its default, and loses
the value where it writes the item. Neither is a kind of item that the earlier one never asks for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

# All bodies, which register themselves.
from chalicelib.adapters.dynamodb import codec, schema
from chalicelib.domain import fact_bodies  # noqa: F401
from chalicelib.domain.facts import BODIES

Shape = Mapping[str, Any]
# What says nothing about what is stored.
_WORDS: Final = frozenset({"title", "description", "default"})
_COMPARED: Final = ("type", "format", "pattern")
_LARGEST: Final = ("maxLength", "maxItems", "maximum")
_SMALLEST: Final = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
_DEEPEST: Final = 20


class _Readable(GenerateJsonSchema):
    def function_plain_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ARG002
        """What a function of ours reads, such as an address, is a text."""
        return {"type": "string"}


def stored_shapes() -> dict[str, Shape]:
    """The shapes of this tree: of items by their kind, of facts by `fact `, a space and their
    name.
    """
    items = {
        f"item {one.kind}": _shape(kind, left_out=codec.empty_by_default(kind))
        for kind, one in schema.ITEM_KINDS.items()
    }
    facts = {f"fact {name}": _shape(body) for name, body in BODIES.items()}
    return items | facts


def _shape(kind: Any, left_out: tuple[str, ...] = ()) -> Shape:
    made = TypeAdapter(kind).json_schema(schema_generator=_Readable)
    always = [
        name
        for name, one in made["properties"].items()
        # Neither None nor, of a fact, a flag is stored.
        if name not in left_out and not _may_be(one, "null") and one.get("default") is not False
    ]
    shape: Shape = _without_words(made)
    return {**shape, "always": always}


def _may_be(part: Shape, kind: str) -> bool:
    return part.get("type") == kind or any(_may_be(one, kind) for one in part.get("anyOf", ()))


def _without_words(part: Any) -> Any:
    match part:
        case {"properties": dict() as properties, **rest}:
            # Whose names are the fields'.
            inside = {name: _without_words(one) for name, one in properties.items()}
            return {**_without_words(rest), "properties": inside}
        case dict():
            return {name: _without_words(one) for name, one in part.items() if name not in _WORDS}
        case list():
            return [_without_words(one) for one in part]
    return part


def unreadable(reads: Mapping[str, Shape], stores: Mapping[str, Shape]) -> Iterator[str]:
    """What the release that `reads` cannot read of what the other one stores, a line each."""
    for name, stored in stores.items():
        if name in reads:
            yield from _Comparison(reads[name], stored).problems(name)
        elif name.startswith("fact "):
            yield f"{name}: it is not known there"


class _Comparison:
    """One shape as the reader has it, and as the writer has it."""

    def __init__(self, reads: Shape, stored: Shape) -> None:
        self._reads = reads
        self._stored = stored

    def problems(self, name: str) -> Iterator[str]:
        """A line for each difference that the reader meets."""
        yield from self._object(name, self._reads, self._stored, set(self._stored["always"]), 0)

    def _object(
        self, at: str, reads: Shape, stored: Shape, always: set[str], depth: int
    ) -> Iterator[str]:
        fields, read = stored.get("properties", {}), reads.get("properties", {})
        for name in reads.get("required", ()):
            if name not in always:
                yield f"{at}: {name} may be missing"
        if reads.get("additionalProperties") is False:
            yield from (f"{at}: {name} is not known there" for name in fields.keys() - read.keys())
        for name in read.keys() & fields.keys():
            yield from self._value(f"{at}.{name}", read[name], fields[name], depth + 1)

    def _value(self, at: str, reads: Shape, stored: Shape, depth: int) -> Iterator[str]:
        reads, stored = _followed(reads, self._reads), _followed(stored, self._stored)
        if depth > _DEEPEST:  # a shape that has itself in it
            return
        if "anyOf" in stored:
            for one in stored["anyOf"]:
                yield from self._value(at, reads, one, depth + 1)
        elif "anyOf" in reads:
            every = [list(self._value(at, one, stored, depth + 1)) for one in reads["anyOf"]]
            if all(every):
                yield min(every, key=len)[0]
        else:
            yield from self._one(at, reads, stored, depth)

    def _one(self, at: str, reads: Shape, stored: Shape, depth: int) -> Iterator[str]:
        allowed = _values(reads)
        if allowed is not None:
            more = (_values(stored) or {"anything"}) - allowed
            if more:
                yield f"{at}: {', '.join(sorted(map(str, more)))} is not known there"
            return
        for word in _COMPARED:
            if word in reads and reads[word] != stored.get(word):
                yield f"{at}: {word} {reads[word]} there, {stored.get(word)} here"
                return
        yield from _bounds(at, reads, stored)
        if "properties" in reads:
            # What lies deeper is stored whole.
            yield from self._object(at, reads, stored, set(stored.get("properties", ())), depth)
        for one, other in _members(reads, stored):
            yield from self._value(f"{at}[]", one, other, depth + 1)


def _members(reads: Shape, stored: Shape) -> Iterator[tuple[Shape, Shape]]:
    """What a list or a mapping has in it, as the one and as the other has it."""
    for word in ("items", "additionalProperties"):
        if isinstance(reads.get(word), Mapping) and isinstance(stored.get(word), Mapping):
            yield reads[word], stored[word]
    yield from zip(reads.get("prefixItems", ()), stored.get("prefixItems", ()), strict=False)
    if "patternProperties" in reads:
        # The pattern is that of the names.
        yield from (
            ({"pattern": one, **read}, {"pattern": other, **value})
            for one, read in reads["patternProperties"].items()
            for other, value in stored.get("patternProperties", {}).items()
        )


def _bounds(at: str, reads: Shape, stored: Shape) -> Iterator[str]:
    for word in _LARGEST:
        if word in reads and stored.get(word, math.inf) > reads[word]:
            yield f"{at}: {word} {reads[word]} there, {stored.get(word)} here"
    for word in _SMALLEST:
        if word in reads and stored.get(word, -math.inf) < reads[word]:
            yield f"{at}: {word} {reads[word]} there, {stored.get(word)} here"


def _followed(part: Shape, whole: Shape) -> Shape:
    while "$ref" in part:
        part = whole["$defs"][part["$ref"].rpartition("/")[2]]
    return part


def _values(part: Shape) -> set[Any] | None:
    if "const" in part:
        return {part["const"]}
    return set(part["enum"]) if "enum" in part else None
