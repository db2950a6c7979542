"""Accounts and totals, from rows as the files have them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import pytest

from chalicelib.domain.files.statements import statement_accounts, statement_file
from chalicelib.domain.statements import (
    AccountState,
    Books,
    Row,
    end_of,
    folded,
    minor,
    month_after,
    month_of,
    outstanding_by_expiry,
    totals,
)
from chalicelib.domain.vouchers import VoucherState
from tests.fakes.campaign import campaign
from tests.reference.voucher_states import rebuild


def issued(voucher: str, **changes: str) -> dict[str, str]:
    """A row of an export."""
    return {
        "code": f"WE-{voucher}", "voucher": voucher, "template": "welcome", "holder": "referee",
        "value": "10.00", "currency": "EUR", "issued_at": "2026-03-02T09:00:00+00:00",
        "valid_until": "2026-05-01T21:59:59+00:00",
    } | changes  # fmt: skip


def happened(voucher: str, change: str, hour: int = 10, order_id: str = "") -> dict[str, str]:
    """A row of a file of changes."""
    at = f"2026-03-02T{hour:02}:00:00+00:00"
    return {"voucher": voucher, "change": change, "at": at, "order_id": order_id, "reason": ""}


def states(books: Books) -> dict[str, str]:
    return {voucher: account.state.value for voucher, account in books.accounts.items()}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ([], "outstanding"),
        (["redeemed"], "redeemed"),
        (["redeemed", "rolled_back"], "outstanding"),
        (["redeemed", "rolled_back", "redeemed"], "redeemed"),
        (["redeemed", "rolled_back", "expired"], "expired"),
        (["redeemed", "rolled_back", "revoked"], "revoked"),
        (["redeemed", "revoked"], "redeemed"),
        (["redeemed", "revoked", "rolled_back"], "revoked"),
        (["expired"], "expired"),
        (["revoked"], "revoked"),
        (["refused"], "revoked"),
        (["refused", "replaced"], "revoked"),
        (["replaced"], "revoked"),
        (["refused", "expired"], "expired"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else value,
)
def test_the_state_of_a_voucher_follows_from_its_changes_in_their_order(
    changes: list[str], state: str
) -> None:
    books = folded([issued("v")], [happened("v", change, order_id="A1") for change in changes])
    assert states(books) == {"v": state}
    assert books.accounts["v"].changes == len(changes)


def test_nothing_follows_an_expiry_whatever_the_clocks_of_two_functions_say() -> None:
    books = folded([issued("v")], [happened("v", "refused", 11), happened("v", "expired", 10)])
    assert states(books) == {"v": "expired"}


def test_an_account_says_on_which_order_the_voucher_was_used_and_forgets_it_again() -> None:
    used = folded([issued("v")], [happened("v", "redeemed", 10, "A1")]).accounts
    assert used["v"].order_id == "A1"
    assert used["v"].redeemed_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    again = folded([], [happened("v", "rolled_back", 11, "A1")], used).accounts
    assert (again["v"].order_id, again["v"].redeemed_at) == ("", None)


def test_a_voucher_in_two_exports_and_one_in_none_are_named() -> None:
    books = folded([issued("v"), issued("v")], [happened("w", "redeemed")])
    assert books.repeated == {"v"}
    assert books.unknown == {"w"}
    assert list(books.accounts) == ["v"]


@pytest.mark.parametrize(
    ("text", "value"), [("10.00", 1000), ("0.05", 5), ("", 0), ("100000.00", 10_000_000)]
)
def test_a_decimal_string_is_minor_units(text: str, value: int) -> None:
    assert minor(text) == value


def test_totals_balance_and_a_later_rollback_makes_its_own_month_smaller() -> None:
    exports = [issued("v"), issued("w"), issued("x", template="thank-you", value="15.00")]
    march = folded(exports, [happened("v", "redeemed"), happened("x", "revoked")]).accounts
    april = folded([issued("y")], [happened("v", "rolled_back"), happened("w", "expired")], march)
    thanks, welcome = totals({}, march)
    assert (welcome.template, welcome.opening, welcome.issued) == ("welcome", 0, 2000)
    assert (welcome.redeemed, welcome.closing) == (1000, 1000)
    assert (thanks.issued, thanks.revoked, thanks.closing) == (1500, 1500, 0)
    _, welcome = totals(march, april.accounts)
    assert (welcome.opening, welcome.issued, welcome.redeemed) == (1000, 1000, -1000)
    assert (welcome.expired, welcome.closing) == (1000, 2000)
    assert welcome.vouchers == {
        AccountState.OUTSTANDING: 2, AccountState.REDEEMED: 0, AccountState.REVOKED: 0,
        AccountState.EXPIRED: 1,
    }  # fmt: skip


def test_two_currencies_of_a_template_are_never_added() -> None:
    books = folded([issued("v"), issued("w", currency="GBP")], [])
    assert [(one.currency, one.closing) for one in totals({}, books.accounts)] == [
        ("EUR", 1000), ("GBP", 1000),
    ]  # fmt: skip


def test_what_is_still_to_be_honoured_is_given_by_the_local_month_of_its_last_day() -> None:
    last_second_of_may = "2026-05-31T21:59:59+00:00"
    first_of_june = "2026-06-01T21:59:59+00:00"
    books = folded(
        [issued("v", valid_until=last_second_of_may), issued("w", valid_until=first_of_june),
         issued("x", valid_until=first_of_june), issued("y", valid_until=first_of_june)],
        [happened("x", "redeemed")],
    )  # fmt: skip
    assert outstanding_by_expiry(campaign(), books.accounts.values()) == [
        ("2026-05", "EUR", 1000),
        ("2026-06", "EUR", 2000),
    ]


def test_a_month_is_the_campaigns_own_daylight_saving_included() -> None:
    paris = campaign()
    assert end_of(paris, "2026-03") == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert end_of(paris, "2026-12") == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert month_of(paris, datetime(2026, 3, 31, 22, tzinfo=UTC)) == "2026-04"
    assert [month_after(month) for month in ("2026-01", "2026-11", "2026-12")] == [
        "2026-02", "2026-12", "2027-01",
    ]  # fmt: skip


def test_a_statement_is_read_back_as_it_was() -> None:
    books = folded(
        [issued("v"), issued("w", issued_at="2026-03-01T09:00:00.000001+00:00")],
        [happened("v", "redeemed", order_id='n° 4,"é"'), happened("w", "revoked")],
    )
    read = list(statement_accounts(statement_file(books.accounts.values())))
    assert [account.voucher for account in read] == ["w", "v"]
    assert {account.voucher: account for account in read} == books.accounts


def test_every_state_is_rebuilt_from_exports_changes_and_receipts() -> None:
    exports = {1: [issued("v"), issued("w")], 2: [issued("x")], 3: [issued("y"), issued("z")]}
    changes = [happened("w", "redeemed"), happened("y", "expired"), happened("z", "refused")]
    receipts = [
        {"file": "acks/00000001.ack", "status": "accepted"},
        {"file": "acks/00000001.ack", "status": "refused"},
        {"file": "acks/00000002.ack", "status": "refused"},
        {"file": "acks/00000003.ack", "status": "accepted"},
        {"file": "orders/00000002.csv", "status": "accepted"},
    ]
    assert rebuild(exports, changes, receipts) == {
        "v": VoucherState.ACKNOWLEDGED, "w": VoucherState.REDEEMED, "x": VoucherState.EXPORTED,
        "y": VoucherState.EXPIRED, "z": VoucherState.REVOKED,
    }  # fmt: skip


# --- room ----------------------------------------------------------------------------------------

BYTES_A_VOUCHER = 700  # what docs/operations.md counts with


def many(count: int) -> Iterator[Row]:
    return (issued(f"{number:032x}", issued_at="2026-03-02T09:00:00.123456+00:00")
            for number in range(count))  # fmt: skip


def peak_of(count: int) -> int:
    """The most memory that folding and writing so many vouchers needs, half of them redeemed."""
    tracemalloc.start()
    used = (happened(row["voucher"], "redeemed", 10, f"order-{row['voucher'][-8:]}")
            for row in islice(many(count), 0, None, 2))  # fmt: skip
    books = folded(many(count), used)
    statement_file(books.accounts.values())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.slow
def test_a_voucher_takes_the_same_room_however_many_there_are() -> None:
    few, many_more = peak_of(20_000), peak_of(200_000)
    assert many_more / few < 10.5
    assert many_more / 200_000 < BYTES_A_VOUCHER
