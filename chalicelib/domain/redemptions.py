"""Redemptions: whether a voucher is accepted on an order, and what uses it or gives it back.

A redemption and the vouchers used on its order are written with the voucher (law 6). Whether the
voucher itself is valid is decided in vouchers.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.entity import Entity, require, stored_as
from chalicelib.domain.files.orders import OrderRow
from chalicelib.domain.orders import Buyer
from chalicelib.domain.vouchers import Voucher, VoucherProblem, problem_at, redeemed

# No real order uses more: the id is a test's, or one that a till sends for every order. Only the
# last ones are kept, so earlier ones no longer exclude others.
MAX_USES = 100
NOTED_AFTER_WINDOW = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Redemption(Entity):
    """The recorded use of a voucher on an order, and its rollback.

    `buyer` is who used it as far as the call says; `none` where a reported order did, which says it
    itself, and in redemptions of versions that did not ask. `is_rebuilt`: it was made of its fact
    after a restore, so its amount and its time are not known until it is reported again.
    `order_ref` is our own id of the order, None in redemptions of earlier versions.
    """

    code_key: Annotated[str, stored_as("code")]
    order_id: str
    ordered_at: datetime
    amount_minor: int
    currency: str
    redeemed_at: datetime
    rolled_back_at: datetime | None = None
    buyer: Buyer = Buyer.NONE
    is_rebuilt: bool = False
    order_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class OrderUse:
    """A voucher that is used on an order, and the templates it excludes from that order."""

    campaign: str
    code_key: str
    template: str
    not_with: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OrderUses(Entity):
    """The vouchers used on one order, of all campaigns; a rollback takes its voucher off.

    Written with every redemption, so that of two vouchers that exclude each other one wins, and
    none is used without the note that a sponsor bought: `of_sponsors` are the campaigns that have
    the buyer as a sponsor, by a report that came before any of our codes was known on the order.
    That is all that is stored of such an order, until `noted_until`.
    """

    order_id: str
    uses: tuple[OrderUse, ...]
    of_sponsors: tuple[str, ...] = ()
    noted_until: datetime | None = None

    @property
    def ends_at(self) -> datetime | None:
        """When it ends; None while a voucher is used on the order."""
        return None if self.uses else self.noted_until

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing of the order any more."""
        return not self.uses and not self.of_sponsors


@dataclass(frozen=True, kw_only=True)
class RedemptionRefusal(Entity):
    """That a voucher was refused on an order, which a call asked for or a report named. Stored with
    the fact of it, so whatever is tried or reported again is counted once; by our own id of the
    order, so that the fact alone brings it back after a restore.
    """

    campaign: str
    order_ref: str
    code_key: Annotated[str, stored_as("code")]


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """The order a voucher is to be used on. `amount_minor` in minor units of `currency`;
    `email_digest` is the buyer, lower-case hex, where the client says it.
    """

    order_id: str
    ordered_at: datetime
    amount_minor: int
    currency: str
    email_digest: str | None = None


def problem_with(
    voucher: Voucher, purchase: Purchase, others: Iterable[OrderUse] = ()
) -> VoucherProblem | None:
    """Why the voucher is not accepted on `purchase`, None when it is. `others` are the vouchers
    used on that order already.
    """
    if problem := problem_at(voucher, purchase.ordered_at):
        return problem
    if purchase.currency != voucher.currency:
        return VoucherProblem.WRONG_CURRENCY
    if purchase.amount_minor < voucher.minimum_basket_minor:
        return VoucherProblem.BELOW_MINIMUM_BASKET
    if voucher.holder_bound and purchase.email_digest not in voucher.holder_digests:
        return VoucherProblem.NOT_THE_HOLDER
    if any(_exclude_each_other(voucher, other) for other in others):
        return VoucherProblem.NOT_WITH_OTHER_VOUCHER
    return None


def _exclude_each_other(voucher: Voucher, other: OrderUse) -> bool:
    """Whether one of the two names the other's template. A template is one of its campaign."""
    return voucher.campaign == other.campaign and (
        other.template in voucher.not_with or voucher.template in other.not_with
    )


def purchase_of(row: OrderRow) -> Purchase:
    """The purchase that a reported order is."""
    return Purchase(
        order_id=row.order_id,
        ordered_at=row.ordered_at,
        amount_minor=row.amount_minor,
        currency=row.currency,
        email_digest=row.email_digest,
    )


@dataclass(frozen=True, kw_only=True)
class VoucherOnOrder:
    """A voucher, with what is stored of its use on one order and of the order's other vouchers.

    Read together, but not at one instant: a commit in between shows as a contradiction.
    """

    voucher: Voucher
    order_id: str
    redemption: Redemption | None = None
    uses: OrderUses | None = None

    @property
    def is_consistent(self) -> bool:
        """Whether voucher and redemption agree on whether the order uses the voucher."""
        return self.is_used is (self.voucher.redeemed_by == self.order_id)

    @property
    def is_used(self) -> bool:
        """Whether the order uses the voucher."""
        return self.redemption is not None and self.redemption.rolled_back_at is None

    @property
    def is_noted(self) -> bool:
        """Whether the voucher is among those that the order uses, as far as they were read. Uses of
        earlier versions are not, nor are the first ones of very many.
        """
        uses = self.uses.uses if self.uses else ()
        return any(use.code_key == self.voucher.code_key for use in uses)

    @property
    def others(self) -> tuple[OrderUse, ...]:
        """The other vouchers used on the order."""
        uses = self.uses.uses if self.uses else ()
        return tuple(use for use in uses if use.code_key != self.voucher.code_key)


def asks_for_newer_digests(voucher: Voucher, email_digest: str | None) -> bool:
    """Whether the holder may be this buyer under a key that came in force after the issue."""
    is_bound = voucher.holder_bound and email_digest is not None
    return is_bound and email_digest not in voucher.holder_digests


def with_holder(found: VoucherOnOrder, holder: AddressDigests) -> VoucherOnOrder:
    """The same, with the digests that the holder has now."""
    return replace(found, voucher=replace(found.voucher, holder_digests=holder.known_to_client))


@dataclass(frozen=True)
class RedemptionPlan:
    """A redemption about to be committed together with the `uses` of its order, or an existing
    one, without.
    """

    voucher: Voucher
    redemption: Redemption
    uses: OrderUses | None = None

    @property
    def is_new(self) -> bool:
        """Whether it is not stored yet."""
        return self.uses is not None


def plan_redemption(
    found: VoucherOnOrder, purchase: Purchase, now: datetime
) -> RedemptionPlan | VoucherProblem:
    """The result of using the voucher on `purchase`.

    A repeat for the same order gets the same answer. An order whose redemption was rolled back
    cannot redeem again: otherwise a late duplicate would undo the rollback.
    """
    voucher, earlier = found.voucher, found.redemption
    if earlier:
        if earlier.rolled_back_at:
            return VoucherProblem.ROLLED_BACK
        return RedemptionPlan(voucher, earlier)
    if problem := problem_with(voucher, purchase, found.others):
        return problem
    redemption = Redemption(
        code_key=voucher.code_key,
        order_id=purchase.order_id,
        ordered_at=purchase.ordered_at,
        amount_minor=purchase.amount_minor,
        currency=purchase.currency,
        redeemed_at=now,
    )
    return RedemptionPlan(redeemed(voucher, purchase.order_id), redemption, with_use(found))


def made_by(plan: RedemptionPlan, buyer: Buyer) -> RedemptionPlan:
    """The plan of a call that says who uses the voucher."""
    return replace(plan, redemption=replace(plan.redemption, buyer=buyer))


def with_use(found: VoucherOnOrder) -> OrderUses:
    """The vouchers used on the order, with this one."""
    voucher = found.voucher
    use = OrderUse(
        campaign=voucher.campaign,
        code_key=voucher.code_key,
        template=voucher.template,
        not_with=voucher.not_with,
    )
    uses = (*found.others, use)[-MAX_USES:]
    stored = found.uses or OrderUses(order_id=found.order_id, uses=())
    return replace(stored, uses=uses)


def without_use(uses: OrderUses, voucher: Voucher) -> OrderUses:
    """The vouchers used on an order without this one."""
    kept = tuple(use for use in uses.uses if use.code_key != voucher.code_key)
    return replace(uses, uses=kept)


def with_sponsor(
    uses: OrderUses | None, campaign: Campaign, order_id: str, now: datetime
) -> OrderUses:
    """With the note that a sponsor of the campaign made the order. It lasts until a code that is
    reported in the return window, or within a month after that, has met it.
    """
    known = uses or OrderUses(order_id=order_id, uses=())
    if campaign.id in known.of_sponsors:
        return known
    days = timedelta(days=campaign.return_window_days) + NOTED_AFTER_WINDOW
    until = campaign.end_of_day(campaign.local_date(now) + days)
    return replace(
        known,
        of_sponsors=(*known.of_sponsors, campaign.id),
        noted_until=max(until, known.noted_until or until),
    )


def is_of_sponsor(uses: OrderUses | None, campaign_id: str) -> bool:
    """Whether a report has said that a sponsor of the campaign made the order."""
    return uses is not None and campaign_id in uses.of_sponsors


def differs(redemption: Redemption, purchase: Purchase) -> bool:
    """Whether a repeat says another amount or currency. Not the time: a client that repeats a call
    after a time-out may have taken the time again. One that is rebuilt differs from nothing.
    """
    if redemption.is_rebuilt:
        return False
    repeated = (purchase.amount_minor, purchase.currency)
    return repeated != (redemption.amount_minor, redemption.currency)


def completed(redemption: Redemption, purchase: Purchase) -> Redemption:
    """The rebuilt redemption, as it is reported again."""
    return replace(
        redemption,
        ordered_at=purchase.ordered_at,
        amount_minor=purchase.amount_minor,
        currency=purchase.currency,
        is_rebuilt=False,
    )


def rolled_back_redemption(redemption: Redemption, now: datetime) -> Redemption:
    """The redemption, reversed."""
    require(redemption.rolled_back_at is None, "rolling a redemption back twice")
    return replace(redemption, rolled_back_at=now)
