"""DynamoDB's expressions: conditions, key conditions, filters and updates.

`condition` and `update` parse a text once and return a function. What an expression names and does
not use, or uses and does not name, is refused, as DynamoDB does: a request that only a kinder table
accepts would fail on AWS. Not here: document paths, sets, `size`, `IN`; a text that has them is
refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any

Value = Mapping[str, Any]
Item = Mapping[str, Value]
Condition = Callable[[Item | None], bool]
Update = Callable[[dict[str, Value]], None]
_Term = tuple[str, str]  # what it is, and its text

_TOKENS = re.compile(r"\s*(?:(<>|<=|>=|[=<>(),+-])|([:#]?[A-Za-z_][\w.-]*|[:#]\w+))")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge,
}  # fmt: skip


class ExpressionError(Exception):
    """The table refuses the request (`ValidationException`)."""


class Parameters:
    """The names and values that come with a request's expressions; each must be used."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._names: Mapping[str, str] = params.get("ExpressionAttributeNames") or {}
        self._values: Mapping[str, Value] = params.get("ExpressionAttributeValues") or {}
        self._unused = {*self._names, *self._values}

    def name(self, token: str) -> str:
        """The attribute that a token names."""
        if not token.startswith("#"):
            return token
        self._unused.discard(token)
        if token not in self._names:
            raise ExpressionError(f"no name {token}")
        return self._names[token]

    def value(self, token: str) -> Value:
        """The value behind a token."""
        self._unused.discard(token)
        if token not in self._values:
            raise ExpressionError(f"no value {token}")
        return self._values[token]

    def require_used(self) -> None:
        """Refuse names and values that no expression uses."""
        if self._unused:
            raise ExpressionError(f"unused in expressions: {sorted(self._unused)}")


@cache
def _tokens(text: str) -> tuple[str, ...]:
    tokens = []
    at = 0
    while at < len(text.rstrip()):
        found = _TOKENS.match(text, at)
        if not found:
            raise ExpressionError(f"not understood at {text[at:]!r}")
        tokens.append(found[1] or found[2])
        at = found.end()
    return tuple(tokens)


class _Parser:
    def __init__(self, text: str, parameters: Parameters) -> None:
        self._left = list(_tokens(text))
        self._parameters = parameters

    def take(self, *expected: str) -> str:
        if not self._left or (expected and self._left[0].upper() not in expected):
            raise ExpressionError(f"expected {expected or 'more'}, found {self._left[:1]}")
        return self._left.pop(0)

    def sees(self, *words: str) -> bool:
        return bool(self._left) and self._left[0].upper() in words

    def done(self) -> None:
        if self._left:
            raise ExpressionError(f"not understood: {self._left}")

    # --- conditions ------------------------------------------------------------------------------

    def any_of(self) -> Condition:
        either = [self.all_of()]
        while self.sees("OR"):
            self.take()
            either.append(self.all_of())
        return lambda item: any(each(item) for each in either)

    def all_of(self) -> Condition:
        every = [self.one()]
        while self.sees("AND"):
            self.take()
            every.append(self.one())
        return lambda item: all(each(item) for each in every)

    def one(self) -> Condition:
        if self.sees("NOT"):
            self.take()
            inner = self.one()
            return lambda item: not inner(item)
        if self.sees("("):
            self.take()
            inner = self.any_of()
            self.take(")")
            return inner
        if self.sees("ATTRIBUTE_EXISTS", "ATTRIBUTE_NOT_EXISTS", "BEGINS_WITH"):
            return self._function()
        return self._comparison()

    def _function(self) -> Condition:
        function = self.take().lower()
        self.take("(")
        name = self._parameters.name(self.take())
        if function == "begins_with":
            self.take(",")
            start = _text(self._parameters.value(self.take()))
            self.take(")")
            return lambda item: name in (item or {}) and _text((item or {})[name]).startswith(start)
        self.take(")")
        wanted = function == "attribute_exists"
        return lambda item: (name in (item or {})) is wanted

    def _comparison(self) -> Condition:
        name = self._parameters.name(self.take())
        if self.sees("BETWEEN"):
            self.take()
            low = self._parameters.value(self.take())
            self.take("AND")
            high = self._parameters.value(self.take())
            return lambda item: _holds(item, name, ge, low) and _holds(item, name, le, high)
        compare = _COMPARE[self.take(*_COMPARE)]
        value = self._parameters.value(self.take())
        return lambda item: _holds(item, name, compare, value)

    # --- updates ---------------------------------------------------------------------------------

    def updates(self) -> Update:
        actions: list[Update] = []
        while self._left:
            action = self.take("SET", "ADD", "REMOVE").upper()
            actions.append(self._update(action))
            while self.sees(","):
                self.take()
                actions.append(self._update(action))

        def run(item: dict[str, Value]) -> None:
            for each in actions:
                each(item)

        return run

    def _update(self, action: str) -> Update:
        name = self._parameters.name(self.take())
        if action == "REMOVE":

            def remove(item: dict[str, Value]) -> None:
                item.pop(name, None)

            return remove
        if action == "SET":
            self.take("=")
            value = self._parameters.value(self.take())
            return lambda item: item.__setitem__(name, value)
        added = Decimal(self._parameters.value(self.take())["N"])

        def add(item: dict[str, Value]) -> None:
            item[name] = {"N": str(Decimal(item.get(name, {"N": "0"})["N"]) + added)}

        return add


def condition(text: str | None, parameters: Parameters) -> Condition:
    """Whether an item, or None where there is none, satisfies the expression."""
    if not text:
        return lambda _: True
    parser = _Parser(text, parameters)
    parsed = parser.any_of()
    parser.done()
    return parsed


def update(text: str, parameters: Parameters) -> Update:
    """What the expression changes, in place."""
    parser = _Parser(text, parameters)
    parsed = parser.updates()
    parser.done()
    return parsed


def _holds(item: Item | None, name: str, compare: Callable[[Any, Any], bool], to: Value) -> bool:
    if item is None or name not in item:
        return False
    ((kind, raw),) = item[name].items()
    ((other, wanted),) = to.items()
    if kind != other:
        return compare is ne
    if kind == "N":
        return compare(Decimal(raw), Decimal(wanted))
    return compare(raw, wanted)


def _text(value: Value) -> str:
    text: str = value.get("S", "")
    return text
