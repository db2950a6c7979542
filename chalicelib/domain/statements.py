"""Statements: what every voucher is at the end of a month, from the files that the client has.

An account is what exports and files of changes report of a voucher. Accounts are folded from their
rows alone, and a later month from the accounts of the one before it, so a statement is the same
whenever it is made, and the client can make it too.

    outstanding ──► redeemed       a rollback takes `redeemed` back
          └───────► expired | revoked

For each template: opening + issued − redeemed − revoked − expired = closing. A rollback makes the
`redeemed` of its own month smaller; a code that was refused or replaced is revoked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.changes import ChangeKind
from chalicelib.domain.entity import Entity

Row = Mapping[str, str]


class AccountState(StrEnum):
    """What a voucher is, as far as money goes. The values are published."""

    OUTSTANDING = "outstanding"
    REDEEMED = "redeemed"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the files report of a voucher. `changes` counts the rows about it.

    A redeemed voucher that was revoked meanwhile has a `revoked_at`: a rollback revokes it.
    """

    voucher: str
    template: str
    holder: str
    value_minor: int
    currency: str
    issued_at: datetime
    valid_until: datetime
    state: AccountState = AccountState.OUTSTANDING
    redeemed_at: datetime | None = None
    order_id: str = ""
    revoked_at: datetime | None = None
    expired_at: datetime | None = None
    changes: int = 0


@dataclass(frozen=True, kw_only=True)
class Statement(Entity):
    """A month's statement in `out/`: the accounts at `until`, which is no longer part of the month.

    It rests on the files up to `exports` and `changes`. Of those up to `exports_complete` and
    `changes_complete` it holds every row, so the next month is folded from the ones after them.
    """

    campaign: str
    month: str
    until: datetime
    rows: int
    sha256: str
    exports: int
    changes: int
    exports_complete: int
    changes_complete: int
    written_at: datetime
    is_encrypted: bool = False


def account_of(row: Row) -> Account:
    """The account that a row of an export opens."""
    return Account(
        voucher=row["voucher"],
        template=row["template"],
        holder=row["holder"],
        value_minor=minor(row["value"]),
        currency=row["currency"],
        issued_at=datetime.fromisoformat(row["issued_at"]),
        valid_until=datetime.fromisoformat(row["valid_until"]),
    )


def minor(amount: str) -> int:
    """Minor units of a decimal string; 0 for an empty one, a voucher without a value in money."""
    return int(Decimal(amount or "0") * 100)


def changed(account: Account, row: Row) -> Account:
    """The account after one row of a file of changes."""
    at = datetime.fromisoformat(row["at"])
    counted = replace(account, changes=account.changes + 1)
    match ChangeKind(row["change"]):
        case ChangeKind.REDEEMED:
            return _settled(replace(counted, redeemed_at=at, order_id=row["order_id"]))
        case ChangeKind.ROLLED_BACK:
            return _settled(replace(counted, redeemed_at=None, order_id=""))
        case ChangeKind.EXPIRED:
            return _settled(replace(counted, expired_at=at))
        case ChangeKind.REVOKED | ChangeKind.REFUSED | ChangeKind.REPLACED:
            return _settled(replace(counted, revoked_at=account.revoked_at or at))


def _settled(account: Account) -> Account:
    """The account in the state that its dates give it."""
    if account.redeemed_at:
        return replace(account, state=AccountState.REDEEMED)
    # Nothing follows an expiry; before it, a voucher may have been refused and not replaced.
    if account.expired_at:
        return replace(account, state=AccountState.EXPIRED)
    state = AccountState.REVOKED if account.revoked_at else AccountState.OUTSTANDING
    return replace(account, state=state)


@dataclass(frozen=True)
class Books:
    """The accounts by voucher, and what does not fit: vouchers with a row in two exports, and
    vouchers with changes and no export.
    """

    accounts: dict[str, Account]
    repeated: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()


def folded(
    exports: Iterable[Row], changes: Iterable[Row], opening: Mapping[str, Account] | None = None
) -> Books:
    """The accounts after the rows of exports and then of changes, each in the order of the files.

    `opening`: the accounts before those rows.
    """
    accounts = dict(opening or {})
    repeated, unknown = set(), set()
    for row in exports:
        if row["voucher"] in accounts:
            repeated.add(row["voucher"])
        else:
            accounts[row["voucher"]] = account_of(row)
    for row in changes:
        if account := accounts.get(row["voucher"]):
            accounts[account.voucher] = changed(account, row)
        else:
            unknown.add(row["voucher"])
    return Books(accounts, frozenset(repeated), frozenset(unknown))


# --- totals --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Of a template and a currency: how its value moved in a month, in minor units; and how many
    vouchers, of what value, are in each state at its end.
    """

    template: str
    currency: str
    opening: int
    issued: int
    redeemed: int
    revoked: int
    expired: int
    closing: int
    vouchers: Mapping[AccountState, int]
    values: Mapping[AccountState, int]


def totals(opening: Mapping[str, Account], closing: Mapping[str, Account]) -> list[Totals]:
    """What moved between two months' ends, by template and currency in their order."""
    before = _summed(opening.values())
    after = _summed(closing.values())
    issued = _summed(account for voucher, account in closing.items() if voucher not in opening)
    return [_totals(kind, before, after, issued) for kind in sorted({*before, *after})]


_Kind = tuple[str, str]
_Sums = Mapping[_Kind, Counter[tuple[str, AccountState]]]


def _summed(accounts: Iterable[Account]) -> _Sums:
    sums: dict[_Kind, Counter[tuple[str, AccountState]]] = {}
    for account in accounts:
        of_kind = sums.setdefault((account.template, account.currency), Counter())
        of_kind["value", account.state] += account.value_minor
        of_kind["count", account.state] += 1
    return sums


def _totals(kind: _Kind, before: _Sums, after: _Sums, issued: _Sums) -> Totals:
    none: Counter[tuple[str, AccountState]] = Counter()
    first, last, new = before.get(kind, none), after.get(kind, none), issued.get(kind, none)

    def moved(state: AccountState) -> int:
        return last["value", state] - first["value", state]

    return Totals(
        template=kind[0],
        currency=kind[1],
        opening=first["value", AccountState.OUTSTANDING],
        issued=sum(new["value", state] for state in AccountState),
        redeemed=moved(AccountState.REDEEMED),
        revoked=moved(AccountState.REVOKED),
        expired=moved(AccountState.EXPIRED),
        closing=last["value", AccountState.OUTSTANDING],
        vouchers={state: last["count", state] for state in AccountState},
        values={state: last["value", state] for state in AccountState},
    )


def outstanding_by_expiry(
    campaign: Campaign, accounts: Iterable[Account]
) -> list[tuple[str, str, int]]:
    """The value still to be honoured: (local month of the last day, currency, minor units)."""
    sums: Counter[tuple[str, str]] = Counter()
    for account in accounts:
        if account.state is AccountState.OUTSTANDING:
            sums[month_of(campaign, account.valid_until), account.currency] += account.value_minor
    return [(*key, sums[key]) for key in sorted(sums)]


# --- months --------------------------------------------------------------------------------------


def month_of(campaign: Campaign, at: datetime) -> str:
    """The campaign's local month at `at`: `2026-11`."""
    return campaign.local_date(at).strftime("%Y-%m")


def month_after(month: str) -> str:
    """The month after `month`."""
    return (date.fromisoformat(f"{month}-01") + timedelta(days=31)).strftime("%Y-%m")


def end_of(campaign: Campaign, month: str) -> datetime:
    """The first instant after the local `month`, in UTC."""
    first_after = date.fromisoformat(f"{month_after(month)}-01")
    return campaign.end_of_day(first_after - timedelta(days=1)) + timedelta(seconds=1)
