"""The guards of the code and what notices that one is missing: the table is complete and current.

That each of them is noticed indeed is `make mutations`; here nothing is taken away but in examples.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutations import switches
from tests.mutations.finder import ROOT, SWITCH, Guard, all_guards, paths, rewritten
from tests.mutations.page import PAGE, page
from tests.mutations.table import MYPY, Table
from tests.mutations.typed import without

TABLE = Table.read()


def test_the_table_has_every_guard_of_the_code_and_no_other() -> None:
    named = [*TABLE.caught, *TABLE.left, *TABLE.open]
    assert len(named) == len(set(named))
    guards = set(all_guards())
    assert guards == set(named), "run `make mutations FIND=1`, and write the tests it does not find"


def test_every_catcher_is_a_test_that_is_there() -> None:
    defined: dict[str, set[str]] = {}
    for test in set(TABLE.caught.values()) - {MYPY}:
        file, _, name = test.partition("::")
        if file not in defined:
            defined[file] = _functions(ROOT / file)
        assert name.partition("[")[0].rpartition("::")[2] in defined[file], test


def test_why_a_guard_is_left_is_a_sentence() -> None:
    for guard, reason in TABLE.left.items():
        assert len(reason.split()) >= 5, guard
        assert reason[0].isupper(), guard
        assert reason.endswith("."), guard


def test_the_page_has_what_the_table_has() -> None:
    assert (ROOT / PAGE).read_text() == page(all_guards(), TABLE)


@pytest.mark.parametrize("path", paths(), ids=lambda path: str(path.relative_to(ROOT)))
def test_without_its_switches_a_module_is_as_it_was_written(path: Path) -> None:
    assert without(path, "") == ast.unparse(ast.parse(path.read_text()))


CODE = """
from __future__ import annotations
from contextlib import suppress
from datetime import timedelta

LEASE = timedelta(minutes=5)
ENDED = {"sent", "failed"}
KEY_IS_FREE = "attribute_not_exists(pk)"

def early(mail):
    if mail is None or mail == "sent":
        return "ended"
    return "open"

def is_live(voucher) -> bool:
    return voucher["issued"] and not voucher["revoked"]

def member(state):
    return state in ENDED

def joined(state):
    return state in ENDED | {"waiting"}

def open_ones(all_of_them):
    return [one for one in all_of_them if one["open"]]

def caught(work):
    try:
        work()
    except ValueError:
        return "refused"

def isolated(work):
    with suppress(KeyError):
        work()
    return "next"

def effect(changes, commit):
    if changes:
        commit()

def lease():
    return LEASE

def put():
    return KEY_IS_FREE

def read():
    return dict(ConsistentRead=True)

@retry_on_conflict
def retried():
    return "done"
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """That code with its switches, and `guards`: its guards by name."""
    path = tmp_path / "chalicelib" / "adapters" / "example.py"
    path.parent.mkdir(parents=True)
    path.write_text(CODE)
    monkeypatch.setattr("tests.mutations.finder.ROOT", tmp_path)
    tree, guards = rewritten(path)
    found: dict[str, object] = {SWITCH: switches, "retry_on_conflict": _thrice}
    exec(compile(tree, str(path), "exec"), found)
    return found | {"guards": {guard.name: guard for guard in guards}}


def test_each_kind_of_guard_is_found_and_can_be_taken_away(
    module: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def called(function: str, *arguments: object, away: str | None = None) -> object:
        guards = module["guards"]
        assert isinstance(guards, dict)
        name = f"adapters.example:{away}" if away else None
        assert name is None or isinstance(guards.pop(name), Guard)
        monkeypatch.setattr(switches, "away", name)
        run = module[function]
        assert callable(run)
        answered: object = run(*arguments)
        return answered

    revoked = {"issued": True, "revoked": True}
    fresh = {"issued": False, "revoked": False}
    assert called("early", "sent") == "ended"
    assert called("early", None, away="early:exit mail is None or mail == 'sent'") == "open"
    assert called("early", None, away="early:operand mail is None") == "open"
    assert called("early", "sent", away="early:operand mail == 'sent'") == "open"
    assert not called("is_live", revoked)
    assert called("is_live", revoked, away="is_live:operand not voucher['revoked']")
    assert not called("is_live", fresh)
    assert called("is_live", fresh, away="is_live:operand voucher['issued']")
    assert called("member", "sent")
    assert not called("member", "sent", away="ENDED:member 'sent'")
    assert called("joined", "sent")
    assert not called("joined", "failed", away="ENDED:member 'failed'")
    assert called("open_ones", [{"open": False}]) == []
    assert called("open_ones", [{"open": False}], away="open_ones:filter one['open']")
    assert called("caught", lambda: int("x")) == "refused"
    with pytest.raises(ValueError, match="invalid literal"):
        called("caught", lambda: int("x"), away="caught:handler except ValueError")
    assert called("isolated", lambda: dict[str, str]()["x"]) == "next"
    with pytest.raises(KeyError):
        called("isolated", lambda: dict[str, str]()["x"], away="isolated:around suppress(KeyError)")
    done: list[str] = []
    called("effect", [], lambda: done.append("commit"))
    assert not done
    called("effect", [], lambda: done.append("commit"), away="effect:only changes")
    assert done
    assert str(called("lease")) == "0:05:00"
    assert str(called("lease", away="LEASE:limit")) == "0:00:00"
    assert called("put") == "attribute_not_exists(pk)"
    alone = "put:condition KEY_IS_FREE, attribute_not_exists(pk)"
    assert called("put", away=alone) == (
        "(attribute_not_exists(pk) OR attribute_not_exists(never_there))"
    )
    assert called("read") == {"ConsistentRead": True}
    assert called("read", away="read:argument ConsistentRead") == {"ConsistentRead": False}
    assert called("retried") == ["done"] * 3
    assert called("retried", away="retried:retry retry_on_conflict") == "done"
    assert module["guards"] == {}


def _thrice(function: object) -> object:
    assert callable(function)
    return lambda: [function() for _ in range(3)]


def _functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
