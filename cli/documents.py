"""A YAML file as plain values, each with its line and column.

Accepts the part of YAML that people and all parsers read the same way: mappings with text keys,
lists, text (`true` and `false` too), whole numbers, amounts and days. Refuses, with line and
column, everything else: other words that YAML 1.1 reads as booleans (`no`, `on`, and Norway),
numbers in other bases, anchors and aliases, tags, duplicate keys, several documents, bytes that are
not UTF-8. A number with decimals becomes a Decimal from its text, never a float. The meaning of the
values is in `campaign_file`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import yaml
from yaml.reader import ReaderError

MAX_BYTES = 128 * 1024
MAX_DEPTH = 20

FieldPath = tuple[str | int, ...]
Value = str | int | Decimal | date | list["Value"] | dict[str, "Value"] | None

_TAG = "tag:yaml.org,2002:"
LONGEST_NUMBER = 30
_WHOLE_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_AMOUNT = re.compile(r"[-+]?[0-9]+\.[0-9]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MISREAD = {
    "bool": "YAML reads this as yes or no",
    "int": "a number is written like 30 or 10.00",
    "float": "a number is written like 30 or 10.00",
    "timestamp": "a day is written like 2026-01-31",
}
_NO_ANCHORS = (
    "anchors (&) and aliases (*) are not supported: write the value out, "
    "or put text that begins with one in quotes"
)
_PLAIN_REASONS = [
    ("found another document", "several documents (---): a file has one campaign"),
    (r"found character '\t' that cannot", "a tab: indent with spaces"),
    ("that cannot start any token", "text that begins with this character needs quotes"),
    ("<stream end>", "a bracket or quote is not closed"),
    ("unexpected end of stream", "a bracket or quote is not closed"),
    (
        "mapping values are not allowed",
        'an unexpected colon: put text that contains ": " in quotes',
    ),
    ("expected <block end>", "does not match the lines above: check the indentation"),
]


@dataclass(frozen=True, order=True)
class Problem:
    """A problem and its place: line and column from 1, path of the field or empty."""

    line: int
    column: int
    path: str
    reason: str


class DocumentError(Exception):
    """The file cannot be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


@dataclass(frozen=True)
class Document:
    """The values of a file, the nodes they came from, and the problems of single values.

    A refused value is None in `value`, and its path is in `broken`.
    """

    value: Value
    problems: list[Problem]
    broken: set[FieldPath]
    keys: dict[FieldPath, yaml.Node]
    values: dict[FieldPath, yaml.Node]

    def problem(self, path: FieldPath, reason: str, *, at_key: bool = False) -> Problem:
        """A problem at `path`, or, where that is missing, at the key of the group it belongs to."""
        nearest = path
        while nearest not in self.values:
            nearest, at_key = nearest[:-1], True
        places = self.keys if at_key and nearest in self.keys else self.values
        return _problem(places[nearest].start_mark, path, reason)

    def is_cut_by_comment(self, path: FieldPath) -> bool:
        """True where a value is empty because its text begins with an unquoted `#`."""
        mark = self.values[path].end_mark
        rest = mark.buffer[mark.pointer :].partition("\n")[0] if mark.buffer else ""
        return rest.lstrip(" ").startswith("#")


def read_document(content: bytes) -> Document:
    """The one document in `content`. Raises DocumentError when it is not a YAML document."""
    if len(content) > MAX_BYTES:
        raise DocumentError(Problem(1, 1, "", f"larger than {MAX_BYTES // 1024} KB"))
    root = _compose(_text(content))
    if root is None or root.tag == f"{_TAG}null":
        raise DocumentError(Problem(1, 1, "", "the file is empty"))
    reading = _Reading()
    value = reading.value(root, ())
    return Document(value, reading.problems, reading.broken, reading.keys, reading.values)


def dotted(path: FieldPath) -> str:
    """`("rules", 0, "issue")` → `rules.0.issue`."""
    return ".".join(map(str, path))


class _Composer(yaml.SafeLoader):
    """Composes nodes without constructing values; refuses what would make a small file large."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(
                problem=_NO_ANCHORS,
                problem_mark=event.start_mark,
            )
        if self._depth == MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        raise DocumentError(
            Problem(*_line_and_column(before), "", "not UTF-8: save the file as UTF-8")
        ) from error


def _compose(text: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = _Composer(text).get_single_node()
    except ReaderError as error:
        place = _line_and_column(text[: error.position])
        reason = "an invalid character: save the file as UTF-8"
        raise DocumentError(Problem(*place, "", reason)) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentError(_problem(mark, (), _plain_reason(error))) from error
    return node


def _plain_reason(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "not YAML"
    plain = [reason for found, reason in _PLAIN_REASONS if found in problem]
    context = f" ({error.context})" if error.context else ""
    return plain[0] if plain else problem + context


def _line_and_column(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _problem(mark: Any, path: FieldPath, reason: str) -> Problem:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Problem(line, column, dotted(path), reason)


class _Reading:
    """One walk over the nodes."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.broken: set[FieldPath] = set()
        self.keys: dict[FieldPath, yaml.Node] = {}
        self.values: dict[FieldPath, yaml.Node] = {}

    def value(self, node: yaml.Node, path: FieldPath) -> Value:
        self.values[path] = node
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.value(item, (*path, at)) for at, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        return self._refused(node, path, f"the tag {node.tag} is not supported")

    def _mapping(self, node: yaml.MappingNode, path: FieldPath) -> Value:
        values: dict[str, Value] = {}
        for key, item in node.value:
            name = self._name(key, path)
            field = (*path, name)
            if field in self.keys:
                first = self.keys[field].start_mark.line + 1
                self._add_problem(key, field, f"is a duplicate: first on line {first}")
            else:
                self.keys[field] = key
                values[name] = self.value(item, field)
        return values

    def _name(self, key: yaml.Node, path: FieldPath) -> str:
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if key.tag == f"{_TAG}merge":
            self._refused(key, (*path, name), "merge keys are not supported: write the fields out")
        elif key.tag != f"{_TAG}str":
            self._refused(key, (*path, name), _quote(name, "the name of a field must be text"))
        return name

    def _scalar(self, node: yaml.ScalarNode, path: FieldPath) -> Value:
        text: str = node.value
        kind = node.tag.removeprefix(_TAG)
        match kind:
            case "str":
                return text
            case "null":
                return None
            case "bool" if text in {"true", "false"}:
                return text  # a field decides what it means: as a number, true would be 1
            case "int" | "float" if len(text) > LONGEST_NUMBER:
                return self._refused(node, path, f"a number has at most {LONGEST_NUMBER} digits")
            case "int" if _WHOLE_NUMBER.fullmatch(text):
                return int(text)
            case "float" if _AMOUNT.fullmatch(text):
                return Decimal(text)
            case "timestamp" if _DAY.fullmatch(text):
                return self._day(node, path)
        reason = _MISREAD.get(kind, f"the tag {node.tag} is not supported")
        return self._refused(node, path, _quote(text, reason))

    def _day(self, node: yaml.ScalarNode, path: FieldPath) -> Value:
        try:
            return date.fromisoformat(node.value)
        except ValueError:
            return self._refused(node, path, f"no such day: {node.value}")

    def _refused(self, node: yaml.Node, path: FieldPath, reason: str) -> Value:
        self.broken.add(path)
        self._add_problem(node, path, reason)
        return None

    def _add_problem(self, node: yaml.Node, path: FieldPath, reason: str) -> None:
        self.problems.append(_problem(node.start_mark, path, reason))


def _quote(text: str, reason: str) -> str:
    return f'{reason}; if it is text, put it in quotes: "{text}"'
