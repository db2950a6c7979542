"""The client guide is what the code does: its recipes run, its columns and reasons are there."""

from __future__ import annotations

import ast
import gzip
import inspect
import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any, get_args

import pytest

from chalicelib.domain.changes import ChangeKind
from chalicelib.domain.changes_files import CHANGE_COLUMNS
from chalicelib.domain.consents import ConsentSource, ConsentState
from chalicelib.domain.consents_files import CONSENT_COLUMNS
from chalicelib.domain.exports import VOUCHER_COLUMNS
from chalicelib.domain.files import (
    acks,
    cohorts,
    consents,
    digests,
    exports,
    lines,
    manifest,
    orders,
    own_codes,
    reading,
)
from chalicelib.domain.files.reconciliation import RECONCILIATION_COLUMNS
from chalicelib.domain.files.statements import STATEMENT_COLUMNS
from chalicelib.domain.lists import plan, rules
from chalicelib.domain.orders import CodeProblem, OrderProblem
from chalicelib.domain.vouchers import Voucher, VoucherProblem, VoucherState
from chalicelib.services import ingest
from chalicelib.services.lists import manifests
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.orders import record, record_many
from chalicelib.services.vouchers import acknowledge, ingest_codes
from chalicelib.services.vouchers.changes import write_changes
from tests.fakes.till import Till
from tests.fakes.world import new_world

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "client-guide.md").read_text(encoding="utf-8")
DIGESTS: dict[str, Any] = json.loads((DOCS / "vectors/digests.json").read_bytes())
CODES: dict[str, Any] = json.loads((DOCS / "vectors/voucher-codes.json").read_bytes())


def recipe(function: str) -> dict[str, Any]:
    """What the code block that defines `function` defines."""
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    (block,) = [one for one in blocks if f"def {function}(" in one]
    defined: dict[str, Any] = {}
    exec(compile(block, "client-guide.md", "exec"), defined)
    return defined


def test_the_recipe_and_the_vectors_are_described_in_the_same_words() -> None:
    assert DIGESTS["about"] in GUIDE
    assert CODES["about"] in GUIDE
    assert recipe("digests")["TAG_DOMAINS"] == set(DIGESTS["plus_tag_domains"])


def test_the_till_takes_what_was_minted_and_refuses_every_slip() -> None:
    till = recipe("is_well_formed")
    assert till["ALPHABET"] == CODES["alphabet"]
    for good in CODES["good"]:
        assert till["is_well_formed"](good["code"])
        assert till["code_as_kept"](good["printed"], "CW") == good["code"]
    for bad in CODES["bad"]:
        assert not till["is_well_formed"](bad["code"])
    for one in CODES["read_back"]:
        assert till["code_as_kept"](one["typed"], "CW") == one["code"]


def test_a_call_is_signed_for_the_host_it_goes_to() -> None:
    from botocore.credentials import Credentials

    url = "https://abc.execute-api.eu-west-3.amazonaws.com/api/v1/client/orders"
    sign = recipe("signed")["signed"]
    request = sign("POST", url, b"{}", Credentials("AKIDEXAMPLE", "secret"), "eu-west-3")
    authorization = request.get_header("Authorization")
    assert "/eu-west-3/execute-api/aws4_request" in authorization
    assert "host" in authorization
    assert (request.get_method(), request.full_url, request.data) == ("POST", url, b"{}")


@pytest.mark.parametrize(
    "columns",
    [
        orders.COLUMNS,
        VOUCHER_COLUMNS,
        CHANGE_COLUMNS,
        CONSENT_COLUMNS,
        consents.COLUMNS,
        cohorts.COLUMNS,
        STATEMENT_COLUMNS,
        RECONCILIATION_COLUMNS,
        exports.REFERRAL_COLUMNS,
    ],
    ids=len,
)
def test_the_columns_are_documented_in_the_order_of_the_code(columns: tuple[str, ...]) -> None:
    assert (header := ",".join(columns)) in GUIDE, f"docs/client-guide.md: the header {header}"


@pytest.mark.parametrize("column", VOUCHER_COLUMNS)
def test_every_column_of_an_export_is_explained(column: str) -> None:
    section = GUIDE.partition("### Exports\n")[2].partition("\n### ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert f"`{column}`" in "".join(rows), 'docs/client-guide.md: a row under "Exports"'


def documented(section: str) -> str:
    """The first cells of the tables of a section."""
    text = GUIDE.partition(f"### {section}\n")[2].partition("\n### ")[0]
    return "".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))


@pytest.mark.parametrize("name", [*CHANGE_COLUMNS, *ChangeKind])
def test_every_column_and_every_kind_of_change_is_explained(name: str) -> None:
    assert f"`{name}`" in documented("Changes")


@pytest.mark.parametrize(
    "name",
    [
        *CONSENT_COLUMNS,
        *ConsentState,
        *(each for each in ConsentSource if each is not ConsentSource.CLIENT),
    ],
)
def test_every_column_state_and_source_of_consents_is_explained(name: str) -> None:
    text = GUIDE.partition("### Consents\n")[2].partition("\n### ")[0]
    assert f"`{name}`" in text


@pytest.mark.parametrize("column", STATEMENT_COLUMNS)
def test_every_column_of_a_statement_is_explained(column: str) -> None:
    assert f"`{column}`" in documented("Statements")


def test_the_rows_of_the_examples_are_those_of_a_real_run() -> None:
    till = played_month()
    changes = gunzipped(till, "changes/00000001")
    statement = gunzipped(till, "statements/2026-03")
    assert "\n".join([changes[0], changes[1], changes[3]]) in GUIDE
    assert "\n".join(statement[:2]) in GUIDE


def played_month() -> Till:
    """Vouchers in every state, exported and stated."""
    till = Till(new_world())
    keys = [till.issue() for _ in range(8)]
    till.world.export()
    till.world.clock.advance(days=2)
    till.redeem(keys[0], "A1")
    till.redeem(keys[1], "A2")
    till.revoke(keys[2])
    till.roll_back(keys[1])
    till.expire(keys[3])
    till.refuse(keys[4])
    for revoked in (5, 6):
        till.redeem(keys[revoked], f"A{revoked}")
        till.revoke(keys[revoked])
    till.roll_back(keys[6])
    write_changes(till.ports, till.world.campaign)
    till.world.acknowledge(1)
    till.issue()
    till.world.export()
    till.world.clock.advance(days=40)
    write_statements(till.ports, till.world.campaign)
    return till


def gunzipped(till: Till, path: str) -> list[str]:
    content = till.world.files.content[f"out/demo-vip/{path}.csv.gz"]
    return gzip.decompress(content).decode().splitlines()


def test_the_recipe_rebuilds_every_state_from_the_files(tmp_path: Path) -> None:
    till = played_month()
    for path, content in till.world.files.under("out/demo-vip/").items():
        file = tmp_path / path.removeprefix("out/demo-vip/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    stored = {one.code: one.state.value for one in till.world.memory.all(Voucher)}
    assert set(stored.values()) == {state.value for state in VoucherState} - {"issued"}
    assert recipe("states_from")["states_from"](str(tmp_path)) == stored


def _called_with(module: ModuleType, names: set[str]) -> Iterator[str]:
    """The texts that calls of `names` in a module are given as a reason."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name in names:
            texts = chain.from_iterable(ast.walk(one) for one in node.args[:2])
            yield from (
                one.value
                for one in texts
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            )


def _returned_by(function: Callable[..., object]) -> Iterator[str]:
    for node in ast.walk(ast.parse(dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Return) and node.value:
            yield from (
                one.value
                for one in ast.walk(node.value)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            )


def _reasons() -> set[str]:
    """Every reason a receipt may hold, as the code spells them."""
    parsers = (acks, digests, lines, manifest, orders, own_codes, reading)
    use_cases = (ingest, manifests, acknowledge, ingest_codes)
    reported = {
        reason
        for module in (*parsers, *use_cases)
        for reason in _called_with(module, {"FileRefusedError", "reject"})
    }
    reported |= set(_returned_by(acks._problem)) | set(_returned_by(own_codes._problem))
    for module in (record, record_many):
        reported |= set(_called_with(module, {"OrderOutcome"}))
    for named in (rules.RefusalReason, rules.ManifestMismatch, *get_args(plan.RefusalReason)):
        reported |= set(get_args(named))
    reported |= set(_returned_by(digests.ListReading._problem))
    reported |= {"mixed_lengths"}
    reported |= set(VoucherProblem) - OF_CALLS
    reported |= {*CodeProblem, *OrderProblem}
    long = dict.fromkeys(orders.COLUMNS, "x" * 65) | {"email_digest": "a@b", "amount": "1.005"}
    wrong = dict.fromkeys(orders.COLUMNS, " ") | {"ordered_at": "2026-01-01"}
    damaged = dict.fromkeys(orders.COLUMNS, "4.68769E+11")
    addresses = dict.fromkeys(orders.COLUMNS, "a@b.fr")
    for values in ({}, long, wrong, damaged, addresses):
        problems = orders.parse_order(values)
        assert not isinstance(problems, orders.OrderRow)
        reported |= {f"{one.field}_{one.reason}" for one in problems}
    return reported


# Problems of a voucher that only the calls of a till have.
OF_CALLS = frozenset({VoucherProblem.DIFFERS, VoucherProblem.NOT_REDEEMED})
# The effect of an order that is refused.
NOT_REPORTED = frozenset(["none"])


def test_every_problem_of_a_voucher_is_explained_for_the_calls() -> None:
    section = GUIDE.partition("\n## The API\n")[2].partition("\n## ")[0]
    assert {problem for problem in VoucherProblem if f"`{problem}`" not in section} == set()


def test_every_reason_a_receipt_may_hold_is_explained() -> None:
    reported = {reason for reason in _reasons() if re.fullmatch(r"[a-z][a-z0-9_]+[a-z0-9]", reason)}
    assert len(reported) > 60
    assert {one for one in reported - NOT_REPORTED if f"`{one}`" not in GUIDE} == set()
