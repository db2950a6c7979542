"""Converting entities and facts to DynamoDB items and back.

An item contains the entity's fields under their stored names (readable in the console), its keys,
its kind and its revision. Pydantic's type adapters convert the values. What has no value is left
out, and so is what has none to speak of (nothing in a list, no, 0) where that is the default: a
few bytes over 1 KB double the price of every write. So a default of that kind never changes.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter

from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.upgrades import upgraded
from chalicelib.domain.effects import end_of
from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact

E = TypeVar("E", bound=Entity)
Item = dict[str, Any]

EMPTY = ((), 0, "")  # False is 0
# The fields of each kind that are empty without a value.
_EMPTY_BY_DEFAULT = {
    kind: tuple(one.name for one in fields(kind) if one.default in EMPTY)
    for kind in schema.ITEM_KINDS
}
_FROM_KEY = {"by_subject"}
_adapters: dict[Any, TypeAdapter[Any]] = {}


def empty_by_default(kind: type[Entity]) -> tuple[str, ...]:
    """The fields that are left out of an item of that kind when they are empty."""
    return _EMPTY_BY_DEFAULT[kind]


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def _marshal(values: dict[str, Any]) -> Item:
    return {name: _attribute(value) for name, value in values.items() if value is not None}


def _unmarshal(item: Item) -> dict[str, Any]:
    return {name: _value(attribute) for name, attribute in item.items()}


def _attribute(value: object) -> Item:
    """The DynamoDB attribute of `value`. All our numbers are integers. Avoids importing boto3."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case list() | tuple():
            return {"L": [_attribute(element) for element in value]}
        case dict():
            return {"M": {name: _attribute(member) for name, member in value.items()}}
    raise TypeError(f"no attribute can be made of a {type(value).__name__}")


def _value(attribute: Item) -> object:
    ((kind, content),) = attribute.items()
    match kind:
        case "N":
            return int(content)
        case "NULL":
            return None
        case "L":
            try:  # rows of an export are texts alone
                return [element["S"] for element in content]
            except KeyError:
                return [_value(element) for element in content]
        case "M":
            return {name: _value(member) for name, member in content.items()}
    return content


def entity_item(entity: Entity) -> Item:
    """The item of `entity`, at its next revision."""
    kind = type(entity)
    item_kind = schema.ITEM_KINDS[kind]
    stored = replace(entity, revision=entity.revision + 1)
    values = _adapter(kind).dump_python(stored, mode="json", by_alias=True)
    for name in empty_by_default(kind):
        if not values.get(name, True):
            del values[name]
    values |= schema.key_of(stored) | schema.index_keys(stored)
    values |= {"kind": item_kind.kind}
    if item_kind.ends and (ends_at := getattr(entity, item_kind.ends)):
        values["ttl"] = int(ends_at.timestamp())
    return _marshal(values)


def entity_of(kind: type[E], item: Item) -> E:
    """The entity in `item`, whichever version stored it; its keys are no fields of it."""
    entity: E = _adapter(kind).validate_python(upgraded(kind, _unmarshal(item)))
    return entity


def fact_item(fact: Fact) -> Item:
    """The item of a fact."""
    values = _adapter(Fact).dump_python(fact, mode="json", exclude=_FROM_KEY)
    values |= schema.fact_key(fact) | {"kind": schema.FACT_KIND}
    if end := end_of(fact):
        values["ttl"] = int(end.timestamp())
    return _marshal(values)


def fact_of(item: Item) -> Fact:
    """The fact in `item`, also if that is the `NewImage` of a stream record."""
    fact: Fact = _adapter(Fact).validate_python(_unmarshal(item))
    by_subject = item["pk"]["S"] == schema.subject_partition(fact.subject)
    return replace(fact, by_subject=by_subject)


def fact_json(fact: Fact) -> str:
    """A fact as the body of a queue's message."""
    return _adapter(Fact).dump_json(fact, exclude=_FROM_KEY).decode()


def fact_from_json(body: str) -> Fact:
    """The fact in a queue's message."""
    fact: Fact = _adapter(Fact).validate_json(body)
    return fact
