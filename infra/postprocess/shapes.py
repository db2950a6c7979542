"""The template as JSON, and how its parts are reached. Refuses a part that is missing or misshapen.

Every other module of this package stands on this one; it knows nothing of CloudFormation.
"""

from __future__ import annotations

from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Object: TypeAlias = dict[str, Json]


class TemplateError(ValueError):
    """The packaged template is not one this project knows how to complete."""


def as_object(value: Json) -> Object:
    """A value that has to be an object."""
    if not isinstance(value, dict):
        raise TemplateError(f"expected an object, found {type(value).__name__}")
    return value


def object_at(parent: Object, key: str) -> Object:
    """The object `parent` has under `key`."""
    if key not in parent:
        raise TemplateError(f"the packaged template has no {key}")
    return as_object(parent[key])


def list_at(parent: Object, key: str) -> list[Json]:
    """The list `parent` has under `key`."""
    value = parent.get(key)
    if not isinstance(value, list):
        raise TemplateError(f"the packaged template has no list {key}")
    return value
