"""What a file would do, said before it is dropped: the receipt that it gets when it is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from chalicelib.domain.files.orders import COLUMNS
from chalicelib.domain.files.receipt import receipt_json
from cli.campaign_file import campaign_text
from cli.client.file_check import receipt_of
from cli.client.files import Kind
from tests.fakes.campaign import CAMPAIGN, campaign, templates
from tests.fakes.world import World, new_world

Tandem = Callable[..., Result]

DIGEST = "ab" * 32
HEADER = ",".join(COLUMNS)
AT = "2026-03-01T10:00:00+01:00"
GOOD = f"A1,{AT},{DIGEST},,80.00,EUR,placed"
OWN_CODES = {"templates": templates(welcome={"codes": "client"})}
FILES: dict[str, tuple[Kind, str, bytes, dict[str, Any]]] = {
    "orders": (Kind.ORDERS, "orders/a.csv", f"{HEADER}\n{GOOD}\n".encode(), {}),
    "orders, some bad": (
        Kind.ORDERS,
        "orders/a.csv",
        "\n".join(
            [
                HEADER, GOOD, GOOD.replace("80.00", "8,00"), GOOD.replace("EUR", "USD"), '"',
                GOOD.replace("2026-03-01", "2027-03-01"), GOOD.replace("80.00", "x"),
            ]
        ).encode(),
        {},
    ),
    "orders in UTF-16": (Kind.ORDERS, "orders/a.csv", f"{HEADER}\n{GOOD}\n".encode("utf-16"), {}),
    "orders with semicolons, packed": (
        Kind.ORDERS,
        "orders/a.csv.gz",
        gzip.compress(f"{HEADER}\n{GOOD}\n".replace(",", ";").encode(), mtime=0),
        {"files": {"orders": {"delimiter": ";"}}},
    ),
    "orders with addresses": (
        Kind.ORDERS,
        "orders/a.csv",
        f"{HEADER}\n{GOOD.replace(DIGEST, 'anne@example.fr')}\n{GOOD}\n".encode(),
        {},
    ),
    "a list of addresses in place of orders": (
        Kind.ORDERS, "orders/a.csv", b"email\nanne@example.fr\n", {},
    ),
    "orders that are not packed": (Kind.ORDERS, "orders/a.csv.gz", GOOD.encode(), {}),
    "no orders": (Kind.ORDERS, "orders/a.csv", HEADER.encode(), {}),
    "nothing": (Kind.ORDERS, "orders/a.csv", b"", {}),
    "consents": (
        Kind.CONSENTS,
        "consents/a.csv",
        f"email_digest,state,at\n{DIGEST},given,{AT}\n{DIGEST},given,2027-01-01T00:00:00Z\n".encode(),
        {},
    ),
    "newcomers": (
        Kind.COHORTS, "cohorts/a.csv",
        b"source,joined_on,active\nsearch,2026-02-01,yes\nsearch,2027-01-01,yes\n", {},
    ),
    "codes": (
        Kind.CODES, "codes/welcome/a.csv", b"code\nOWN-1234\nown1234\nx\n", OWN_CODES,
    ),
    "a header that is none of ours": (
        Kind.CODES, "codes/welcome/a.csv", b"gutschein\nOWN-1234\nOWN-1235\n", OWN_CODES,
    ),
    "an acknowledgement": (Kind.ACKS, "acks/00000001.ack", b"", {}),
    "a name that no file has": (Kind.COHORTS, "cohorts/a.txt", b"source,joined_on\n", {}),
    "an acknowledgement of no export": (Kind.ACKS, "acks/export-7.ack", b"", {}),
    "a refusal without a code": (Kind.ACKS, "acks/00000001.ack", b"code,reason\n!,x\n", {}),
}  # fmt: skip


def with_an_export(**changes: Any) -> World:
    """A world with an export, of a template that has its codes."""
    world = new_world(**changes)
    world.referral("jeanne@gmail.com")
    if not changes.get("templates"):
        world.export()
    return world


def said(content: bytes) -> dict[str, Any]:
    """What a receipt says of the file's content: not when it came, nor what became of good rows."""
    members: dict[str, Any] = json.loads(content)
    for name in ("dropped_at", "received_at", "effects", "file", "vouchers"):
        members.pop(name, None)
    return members


@pytest.mark.parametrize("name", FILES)
def test_what_is_said_is_the_receipt_that_the_file_gets(tmp_path: Path, name: str) -> None:
    kind, path, content, changes = FILES[name]
    file = tmp_path / path.rpartition("/")[2]
    file.write_bytes(content)
    world = with_an_export(**changes)
    expected = said(receipt_json(receipt_of(kind, file, world.campaign, world.clock())))
    found = said(receipt_json(world.drop(path, content)))
    if kind is Kind.ACKS:  # its receipt counts vouchers of the export
        for members in (expected, found):
            members["accepted"] = members["rows"] = 0
    assert expected == found


def test_a_name_that_may_be_an_address_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "jean@example.fr.csv"
    file.write_bytes(b"source,joined_on,active\nsearch,2026-02-01,yes\n")
    world = new_world()
    receipt = receipt_of(Kind.COHORTS, file, world.campaign, world.clock())
    assert (receipt.quarantined, receipt.name_withheld) == (True, True)
    assert "jean" not in receipt_json(receipt).decode()


def test_a_file_that_is_encrypted_already_is_not_judged(tandem: Tandem, tmp_path: Path) -> None:
    (tmp_path / "campaign.yaml").write_text(campaign_text(campaign()), encoding="utf-8")
    file = tmp_path / "orders.csv.gz.pgp"
    file.write_bytes(b"\x85\x01")
    by_file = ("--campaign-file", tmp_path / "campaign.yaml")
    done = tandem("file", "check", "orders", file, *by_file)
    assert done.exit_code == 1
    assert done.stderr == f"{file}: only we can read it: check the file before you encrypt it\n"
    assert done.stdout == ""


def test_every_kind_is_compared() -> None:
    assert {kind for kind, *_ in FILES.values()} == set(Kind)


@pytest.fixture
def check(tandem: Tandem, tmp_path: Path) -> Callable[..., Result]:
    """Check orders with a campaign file; no stack is there."""

    def run(content: bytes, *options: str, **changes: Any) -> Result:
        rules = tmp_path / "campaign.yaml"
        rules.write_text(campaign_text(campaign(**changes)), encoding="utf-8")
        file = tmp_path / "orders.csv"
        file.write_bytes(content)
        return tandem("file", "check", "orders", file, "--campaign-file", rules, *options)

    return run


def test_a_good_file_is_said_to_be_good(check: Callable[..., Result]) -> None:
    result = check(f"{HEADER}\n{GOOD}\n".encode())
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "read as    utf-8, fields between commas",
        "result     accepted",
        "rows       1",
        "accepted   1",
        "rejected   0",
    ]


def test_each_bad_line_is_named_and_the_exit_code_says_so(check: Callable[..., Result]) -> None:
    files = {"orders": {"delimiter": "tab", "columns": {"Nummer": "order_id"}}}
    rows = [HEADER.replace("order_id", "Nummer"), GOOD, *[GOOD.replace("80.00", "80,,0")] * 30]
    text = "\n".join(rows).replace(",,0", ";").replace(",", "\t").replace(";", ",0")
    result = check(text.encode(), files=files)
    assert result.exit_code == 1
    assert "read as    utf-8, fields between tabs" in result.stdout
    assert "           Nummer is order_id" in result.stdout
    assert "result     partial" in result.stdout
    lines = result.stderr.splitlines()
    expected = (
        'amount_other_decimal: found a comma, expected a point: declare files.orders.decimal: ","'
    )
    assert lines[0].endswith(f"orders.csv:3: {expected}")
    assert lines[-1].endswith("orders.csv: 10 more problems: see --json")
    assert len(lines) == 21


def test_a_file_that_would_be_refused_says_why(check: Callable[..., Result]) -> None:
    result = check(b"email\nanne@example.fr\n")
    assert result.exit_code == 1
    assert "result     refused: plain_address" in result.stdout
    assert "addresses  the file would be taken out of in/" in result.stdout
    assert "anne" not in result.output


def test_as_json_it_is_the_receipt_and_how_the_file_was_read(check: Callable[..., Result]) -> None:
    result = check(f"{HEADER}\n{GOOD}\n".encode(), "--json")
    members = json.loads(result.stdout)
    assert (members["status"], members["rows"], members["errors"]) == ("accepted", 1, [])
    assert members["read_as"] == {
        "encoding": "utf-8", "delimiter": ",", "decimal": ".", "columns": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    "options", [[], ["--campaign", CAMPAIGN, "--campaign-file", "campaign.yaml"]]
)
def test_the_campaign_is_named_once(tandem: Tandem, tmp_path: Path, options: list[str]) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(HEADER.encode())
    result = tandem("file", "check", "orders", file, *options)
    assert result.exit_code == 1
    assert "say either --campaign or --campaign-file" in result.stderr
