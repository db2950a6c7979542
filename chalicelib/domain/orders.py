"""Orders, as the client reports them: in any sequence, repeatedly.

    placed ──► kept ──► returned | cancelled
       └─────────────►

What an order is in the end depends on its reports, not on their sequence: the status only moves
forward; the report that says most of the buyer holds; a voucher counts from the first report that
names it. An order counts for the referral of its buyer, unless the buyer is known to be somebody
else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.codes import candidates
from chalicelib.domain.entity import Entity, require_move
from chalicelib.domain.files.orders import OrderRow
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import CLOCK_TOLERANCE


class OrderStatus(StrEnum):
    """What the client says of an order."""

    PLACED = "placed"
    KEPT = "kept"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class OrderProblem(StrEnum):
    """Why a reported order is refused, although its row is good. The values are published."""

    OTHER_CURRENCY = "currency_not_the_campaigns"
    IN_THE_FUTURE = "ordered_at_in_the_future"
    ANOTHER_PERSON = "order_id_of_another_person"


class CodeProblem(StrEnum):
    """Why the code that an order names is not used, beside what is wrong with its voucher
    (`VoucherProblem`). The values are published.
    """

    UNKNOWN = "unknown"
    DIFFERS = "voucher_code_differs"


class Buyer(StrEnum):
    """Who made an order, as far as its reports say, from what says least to what says most.

    `none`: no report gives a digest. `other`: nobody we know; it says less than `referee`, because
    a referee may change the address, or the client its key, between two reports. `sponsor`: any of
    the campaign's, whichever voucher was used. The values are stored and published.
    """

    NONE = "none"
    OTHER = "other"
    REFEREE = "referee"
    OTHER_REFEREE = "other_referee"
    CUSTOMER = "customer"
    SPONSOR = "sponsor"


_BY_WEIGHT = tuple(Buyer)
_AHEAD = timedelta(days=1)  # how far the client's clocks may be ahead of ours


@dataclass(frozen=True, kw_only=True)
class Order(Entity):
    """A purchase of a referee or with one of our vouchers, as the client reports it.

    `referral_id` is the referral of the buyer, else of the voucher; the order `counts` for it or
    for nobody. `code_key` and `template` are those of its voucher. `first_version` and
    `status_version` are the versions of the campaign in force when it was first reported and when
    it reached its status; None for orders of 0.2.0, which did not store them. `order_ref` is our
    own id of it, None until it is stored by a version that has one.
    """

    campaign: str
    order_id: str
    referral_id: str
    status: OrderStatus
    ordered_at: datetime
    amount_minor: int
    currency: str
    return_window_ends_at: datetime
    kept_at: datetime | None = None
    buyer: Buyer = Buyer.NONE
    counts: bool = True
    code_key: str | None = None
    template: str | None = None
    first_version: int | None = None
    status_version: int | None = None
    order_ref: str | None = None


_MOVES = {
    OrderStatus.PLACED: {OrderStatus.KEPT, OrderStatus.RETURNED, OrderStatus.CANCELLED},
    OrderStatus.KEPT: {OrderStatus.RETURNED, OrderStatus.CANCELLED},
    # An order reported as both ends as cancelled, in whatever sequence.
    OrderStatus.RETURNED: {OrderStatus.CANCELLED},
}
_COUNTED_BUYERS = {
    "referee": {Buyer.REFEREE, Buyer.NONE},
    "anyone": {Buyer.REFEREE, Buyer.NONE, Buyer.OTHER},
}


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whose digest a report gives: of a referee, of a sponsor, of a listed customer, or of nobody
    we know.
    """

    referral_id: str | None = None
    is_sponsor: bool = False
    is_customer: bool = False


def buyer_of(person: Person | None, expected: Referral | None) -> Buyer:
    """Who `person` is on an order; None without a digest. `expected`: the referral of the voucher
    used on it, if a referee holds that.
    """
    if person is None:
        return Buyer.NONE
    if person.referral_id:
        own = expected is None or person.referral_id == expected.referral_id
        return Buyer.REFEREE if own else Buyer.OTHER_REFEREE
    if person.is_sponsor:
        return Buyer.SPONSOR
    if person.is_customer:
        return Buyer.CUSTOMER
    # Nobody can be compared with a referee who was forgotten; the code speaks for her.
    return Buyer.NONE if expected and expected.is_erased else Buyer.OTHER


def buyer_by_both(one: Buyer, other: Buyer) -> Buyer:
    """What two reports of an order say together of its buyer, in whatever sequence they came."""
    return max(one, other, key=_BY_WEIGHT.index)


def refusal_of(campaign: Campaign, row: OrderRow, now: datetime) -> OrderProblem | None:
    """The refusal that follows from the row alone; None if there is none."""
    if row.currency != campaign.currency:
        return OrderProblem.OTHER_CURRENCY
    return OrderProblem.IN_THE_FUTURE if is_in_the_future(row.ordered_at, now) else None


def is_in_the_future(ordered_at: datetime, now: datetime) -> bool:
    """Whether an order is dated later than a clock of the client's that is ahead explains."""
    return ordered_at.astimezone(UTC) > now + _AHEAD


def code_keys(row: OrderRow) -> tuple[str, ...]:
    """What a voucher with the code that the row names may be found by; nothing without a code."""
    return candidates(row.voucher_code) if row.voucher_code else ()


def uses_vouchers(status: OrderStatus) -> bool:
    """Whether an order at `status` uses the vouchers that it was made with; a returned or cancelled
    one may have given them back.
    """
    return status in {OrderStatus.PLACED, OrderStatus.KEPT}


def is_before_confirmation(campaign: Campaign, referral: Referral, ordered_at: datetime) -> bool:
    """Whether an order is older than the referral. The local day of the confirmation counts: many
    systems report a day or a minute, and a till's clock may be behind.
    """
    return campaign.days_between(referral.confirmed_at, ordered_at + CLOCK_TOLERANCE) < 0


def is_counted(campaign: Campaign, buyer: Buyer) -> bool:
    """Whether what `buyer` does with a referee's voucher counts for somebody."""
    return buyer in _COUNTED_BUYERS[campaign.buyer]


def counts_for(
    campaign: Campaign, referral: Referral, order: Order, by_call: Buyer = Buyer.NONE
) -> bool:
    """Whether the order counts for the referral; otherwise it counts for nobody. `by_call`: who
    used the voucher, as far as the call says that redeemed it.
    """
    buyer = buyer_by_both(order.buyer, by_call)
    return is_counted(campaign, buyer) and not is_before_confirmation(
        campaign, referral, order.ordered_at
    )


def new_order(campaign: Campaign, row: OrderRow, referral: Referral) -> Order:
    """The order of a first report, at `placed`; `reported_order` moves it to its status."""
    return Order(
        campaign=campaign.id,
        order_id=row.order_id,
        referral_id=referral.referral_id,
        status=OrderStatus.PLACED,
        ordered_at=row.ordered_at,
        amount_minor=row.amount_minor,
        currency=row.currency,
        return_window_ends_at=return_window_ends_at(campaign, row.ordered_at),
        first_version=campaign.version,
        status_version=campaign.version,
    )


def return_window_ends_at(campaign: Campaign, ordered_at: datetime) -> datetime:
    """The last second in which an order may still be returned, unless that is reported later."""
    days = timedelta(days=campaign.return_window_days)
    return campaign.end_of_day(campaign.local_date(ordered_at) + days)


def dated_order(campaign: Campaign, referral: Referral, order: Order, row: OrderRow) -> Order:
    """The order with the earliest date that its reports give: a back office may give the date of
    each status. A date before the confirmation is a wrong one if another report gives a good one.
    """
    dates = (order.ordered_at, row.ordered_at)
    good = [date for date in dates if not is_before_confirmation(campaign, referral, date)]
    ordered_at = min(good or dates)
    if ordered_at == order.ordered_at:
        return order
    window_ends = return_window_ends_at(campaign, ordered_at)
    return replace(order, ordered_at=ordered_at, return_window_ends_at=window_ends)


def is_kept(order: Order | None) -> bool:
    """Whether it counts for its referral and is kept."""
    return order is not None and order.counts and order.status is OrderStatus.KEPT


def moves_forward(stored: OrderStatus | None, reported: OrderStatus) -> bool:
    """True when a reported status comes after the stored one."""
    return stored is None or reported in _MOVES.get(stored, ())


def reported_order(campaign: Campaign, order: Order, row: OrderRow, now: datetime) -> Order:
    """The order after another report: moved forward with its amount, or unchanged.

    Part of an order may be returned: of two reports of the same status the smaller amount holds.
    """
    status = OrderStatus(row.status)
    if moves_forward(order.status, status):
        return moved_order(campaign, replace(order, amount_minor=row.amount_minor), status, now)
    if status is order.status:
        return replace(order, amount_minor=min(order.amount_minor, row.amount_minor))
    return order


def moved_order(campaign: Campaign, order: Order, status: OrderStatus, now: datetime) -> Order:
    """The order at `status`, by the campaign in force."""
    return replace(
        order,
        status=require_move(order.status, status, _MOVES),
        status_version=campaign.version,
        kept_at=now if status is OrderStatus.KEPT else order.kept_at,
    )
