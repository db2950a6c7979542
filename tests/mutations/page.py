"""The page about the table of guards: `docs/mutations.md`, written by `make mutations FIND=1`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tests.mutations.finder import Guard
from tests.mutations.table import Table

PAGE = "docs/mutations.md"

# What a kind of guard is, and how it is taken away.
KINDS: Mapping[str, str] = {
    "exit": "an early `return`, `raise`, `continue` or `break`: its condition is never true",
    "only": "something that is only done if …: it is always done",
    "operand": "one part of a condition: it decides nothing",
    "filter": "an `if` of a comprehension: everything passes",
    "case": "an `if` of a `case`: it always holds",
    "member": "one of the members of a set that something is looked up in: it is not in it",
    "handler": "an `except`: the error passes",
    "around": "a `with` that isolates or paces: it is not there",
    "require": "a call that raises when a move is not allowed: it is not made",
    "retry": "trying again after a conflict: the first one is the end",
    "condition": "a part of a condition expression: it decides nothing",
    "once": "a `write_once`: it writes over what is there",
    "key": "a name that is the same each time: it is another each time",
    "limit": "a constant: no time (a lease, a delay), one attempt, or no limit",
    "argument": "a consistent read, `If-Match`, the attempts of a client: without it",
    "answer": "the failures that a batch's answer names: it names none",
}

_TEXT = """# What the tests notice

A law is kept by guards: an early exit, a condition of a write, a lease, a retry. `make mutations`
takes each of them away in turn and runs the test that has to fail then, and that has to pass with
every guard in place. There are {found} of them, found in the syntax of `services/`, `adapters/`,
`functions/` and of what `domain/` decides: {by_test} are noticed by a test and {by_mypy} by mypy,
which the same gate runs; {left} are left, with the reason below; {open} are open: nothing is known
that notices their absence. Which test notices which guard:
[catchers.json](../tests/mutations/catchers.json), a line for each guard.

A new guard makes `make check` fail until it is in that table: `make mutations FIND=1` looks for a
test that notices its absence. If there is none, write it, or delete the guard.

## Kinds

| kind | what it is, and how it is taken away | guards | left | open |
|---|---|---|---|---|
{kinds}

Not searched: what reads texts or is a table of them (addresses, campaign files, dropped files,
money, the fast builder of lists). It is compared with other readers and with real files.

## Left

| guard | why nothing needs to notice its absence |
|---|---|
{reasons}

## Open

By module; which ones they are is in the same file.

| module | guards | open |
|---|---|---|
{modules}
"""


def page(guards: Mapping[str, Guard], table: Table) -> str:
    """The page of these guards and this table."""
    named = {name: guards[name] for name in table.open}
    left = Counter(guards[name].kind for name in table.left)
    found, unnoticed = _by_kind(guards), _by_kind(named)
    modules, open_in = _by_module(guards), _by_module(named)
    return _TEXT.format(
        found=len(guards),
        by_test=len(table.caught) - table.by_mypy,
        by_mypy=table.by_mypy,
        left=len(table.left),
        open=len(table.open),
        kinds=_rows((kind, what, found[kind], left[kind], unnoticed[kind])
                    for kind, what in KINDS.items()),
        reasons=_rows((f"`{name}`", reason) for name, reason in table.left.items()),
        modules=_rows((f"`{name}`", modules[name], open_in[name]) for name in open_in),
    )  # fmt: skip


def _by_kind(guards: Mapping[str, Guard]) -> Counter[str]:
    return Counter(guard.kind for guard in guards.values())


def _by_module(guards: Mapping[str, Guard]) -> Counter[str]:
    return Counter(guard.module for guard in guards.values())


def _rows(rows: Iterable[tuple[object, ...]]) -> str:
    texts = (" | ".join(str(cell).replace("|", "\\|") for cell in row) for row in rows)
    return "\n".join(f"| {text} |" for text in texts) or "| none | |"
