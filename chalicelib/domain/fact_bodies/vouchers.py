"""Facts about vouchers, exports, orders and rewards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from chalicelib.domain.campaign.rules import HolderRole, Release
from chalicelib.domain.eligibility import REFUSED, Verdict
from chalicelib.domain.facts import FactBody, FactName, detail_stored_as
from chalicelib.domain.orders import Buyer, Order, OrderStatus, is_kept
from chalicelib.domain.referral_orders import kept_order_count
from chalicelib.domain.referrals import Referral
from chalicelib.domain.review import Score
from chalicelib.domain.rewards import BY_REVIEW, Reward, RewardRefusal
from chalicelib.domain.vouchers import Voucher, month_of_end


@dataclass(frozen=True, kw_only=True)
class _VoucherBody(FactBody):
    voucher_id: str
    referral_id: str
    holder_id: str


def _of(voucher: Voucher) -> dict[str, str]:
    return {
        "voucher_id": voucher.voucher_id,
        "referral_id": voucher.referral_id,
        "holder_id": voucher.holder_id,
    }


@dataclass(frozen=True, kw_only=True)
class _WorthBody(_VoucherBody):
    """Also says the voucher's `value_minor` and the month it `ends_in` (`2026-11`), for the sums on
    the dashboard; None in facts of earlier versions.
    """

    template: str | None = None
    value_minor: int | None = None
    ends_in: str | None = None


def _worth(voucher: Voucher) -> dict[str, Any]:
    return {
        **_of(voucher),
        "template": voucher.template,
        "value_minor": voucher.value_minor,
        "ends_in": month_of_end(voucher),
    }


@dataclass(frozen=True, kw_only=True)
class _UseBody(_WorthBody):
    """Also says which rule granted the voucher, and for which rung; None in facts of earlier
    versions.
    """

    rule: str | None = None
    rung: int | None = None


def _use(voucher: Voucher) -> dict[str, Any]:
    return {**_worth(voucher), "rule": voucher.rule, "rung": voucher.rung}


@dataclass(frozen=True, kw_only=True)
class VoucherIssued(_VoucherBody, name=FactName.VOUCHER_ISSUED):
    """A rule granted a voucher. `rung` 0 is the confirmation; `has_order`: for an order.

    `replaces_id`: the voucher of the same reward whose code the client refused, None for the first;
    `by`: who decided that, where ops did (an AWS principal, never a name). `ends_in`: the month of
    its last day (`2026-11`), `replaced_ends_in` that of the one it replaces; None in facts of
    earlier versions.
    """

    template: str
    holder: HolderRole
    rule: str
    rung: int
    value_minor: int
    release: Release
    has_order: bool = detail_stored_as("order", default=False)
    campaign_version: int
    customers_version: int | None = None
    replaces_id: str | None = None
    by: str | None = None
    ends_in: str | None = None
    replaced_ends_in: str | None = None

    @classmethod
    def of(
        cls,
        voucher: Voucher,
        granted: Reward,
        *,
        replaced: Voucher | None = None,
        by: str | None = None,
    ) -> VoucherIssued:
        return cls(
            **_of(voucher),
            template=voucher.template,
            holder=voucher.holder,
            rule=voucher.rule,
            rung=voucher.rung,
            value_minor=voucher.value_minor,
            release=voucher.release,
            has_order=granted.order_id is not None,
            campaign_version=voucher.campaign_version,
            customers_version=granted.customers_version,
            replaces_id=voucher.replaces,
            by=by,
            ends_in=month_of_end(voucher),
            replaced_ends_in=month_of_end(replaced) if replaced else None,
        )


@dataclass(frozen=True, kw_only=True)
class _VoucherAnswered(_VoucherBody):
    rule: str
    rung: int
    release: Release
    export: int | None = None


@dataclass(frozen=True, kw_only=True)
class VoucherAcknowledged(_VoucherAnswered, name=FactName.VOUCHER_ACKNOWLEDGED):
    """The client has loaded the voucher."""


@dataclass(frozen=True, kw_only=True)
class VoucherRefused(_VoucherAnswered, name=FactName.VOUCHER_REFUSED):
    """The client refused the voucher."""


def voucher_answered(voucher: Voucher) -> VoucherAcknowledged | VoucherRefused:
    """The body for a voucher that the client acknowledged or refused."""
    kind = VoucherAcknowledged if voucher.refused_reason is None else VoucherRefused
    return kind(
        **_of(voucher),
        rule=voucher.rule,
        rung=voucher.rung,
        release=voucher.release,
        export=voucher.export,
    )


@dataclass(frozen=True, kw_only=True)
class VoucherRefusedRepeatedly(_VoucherBody, name=FactName.VOUCHER_REFUSED_REPEATEDLY):
    """So many of the holder's codes were refused that this one is not replaced."""

    refusals: int

    @classmethod
    def of(cls, voucher: Voucher, refusals: int) -> VoucherRefusedRepeatedly:
        return cls(**_of(voucher), refusals=refusals)


@dataclass(frozen=True, kw_only=True)
class _VoucherUse(_UseBody):
    holder: HolderRole
    order_ref_id: str | None = None
    client_order_id: str | None = detail_stored_as("order", default=None)  # of earlier versions

    @classmethod
    def of(cls, voucher: Voucher, order_ref: str | None) -> Self:
        """The use of a voucher on the order with that reference, None where none was stored."""
        return cls(**_use(voucher), holder=voucher.holder, order_ref_id=order_ref)


@dataclass(frozen=True, kw_only=True)
class VoucherRedeemed(_VoucherUse, name=FactName.VOUCHER_REDEEMED):
    """The voucher was used on an order."""


@dataclass(frozen=True, kw_only=True)
class VoucherRolledBack(_VoucherUse, name=FactName.VOUCHER_ROLLED_BACK):
    """Its use was reversed."""


@dataclass(frozen=True, kw_only=True)
class RedemptionRefused(_VoucherBody, name=FactName.REDEMPTION_REFUSED):
    """The voucher was refused on an order, which a call asked for or a report named. `reason` is
    the first one.
    """

    order_ref_id: str
    reason: str

    @classmethod
    def of(cls, voucher: Voucher, order_ref: str, reason: str) -> RedemptionRefused:
        return cls(**_of(voucher), order_ref_id=order_ref, reason=reason)


@dataclass(frozen=True, kw_only=True)
class VoucherEndsSoon(_VoucherBody, name=FactName.VOUCHER_ENDS_SOON):
    """It ends in some days and is unused: in a campaign that tells its holders."""

    rule: str
    rung: int

    @classmethod
    def of(cls, voucher: Voucher) -> VoucherEndsSoon:
        return cls(**_of(voucher), rule=voucher.rule, rung=voucher.rung)


@dataclass(frozen=True, kw_only=True)
class VoucherExpired(_UseBody, name=FactName.VOUCHER_EXPIRED):
    """Its last day has passed, unused."""

    @classmethod
    def of(cls, voucher: Voucher) -> VoucherExpired:
        return cls(**_use(voucher))


@dataclass(frozen=True, kw_only=True)
class _ExportBody(FactBody):
    export: int
    count: int

    @property
    def quantity(self) -> int:
        return self.count


@dataclass(frozen=True, kw_only=True)
class VouchersExported(_ExportBody, name=FactName.VOUCHERS_EXPORTED):
    """`count` vouchers became part of an export."""


@dataclass(frozen=True, kw_only=True)
class ExportWritten(_ExportBody, name=FactName.EXPORT_WRITTEN):
    """The file of an export, of `count` rows, was written to `out/`."""


@dataclass(frozen=True, kw_only=True)
class OrderBody(FactBody):
    """An order. `is_new`: its first report. `is_excluded`: it counts for nobody, because of its
    buyer or its date. Facts of earlier versions have the client's id in place of our own.

    The last ones are for the dashboard, None where there is nothing to say and in earlier facts:
    how much kept orders are worth more now, in minor units; how many of them its referral has with
    it (`reaches`) or had with it (`loses`), and when that was `confirmed_at`; and, with the first
    report, why its code is not used, where that is no voucher (`RedemptionRefused`) or in earlier
    facts.
    """

    order_ref_id: str | None = None
    client_order_id: str | None = detail_stored_as("order", default=None)
    referral_id: str
    sponsor_id: str
    amount_minor: int
    buyer: Buyer | None = None
    is_new: bool = False
    is_excluded: bool = False
    revenue_minor: int | None = None
    reaches: int | None = None
    loses: int | None = None
    confirmed_at: str | None = None
    code_problem: str | None = None

    @property
    def excluded(self) -> bool:
        return self.is_excluded


@dataclass(frozen=True, kw_only=True)
class OrderPlaced(OrderBody, name=FactName.ORDER_PLACED):
    """A referee placed an order."""


@dataclass(frozen=True, kw_only=True)
class OrderKept(OrderBody, name=FactName.ORDER_KEPT):
    """An order counts for the ladder: reported as kept, or its return window has passed."""


@dataclass(frozen=True, kw_only=True)
class OrderReturned(OrderBody, name=FactName.ORDER_RETURNED):
    """An order was returned."""


@dataclass(frozen=True, kw_only=True)
class OrderCancelled(OrderBody, name=FactName.ORDER_CANCELLED):
    """An order was cancelled."""


@dataclass(frozen=True, kw_only=True)
class OrderCorrected(OrderBody, name=FactName.ORDER_CORRECTED):
    """A later report says more of an order: who bought, with which voucher, or a smaller amount.

    `buyer_before` is set where the buyer changed; `kept_orders` is 1 or -1 where a kept order
    counts only now, or does not any more.
    """

    buyer_before: Buyer | None = None
    kept_orders: int = 0


def order_moved(
    before: Order | None, order: Order, referral: Referral, code_problem: str | None = None
) -> FactBody:
    """The body for an order's new status; `before` is None for its first report, which may name a
    code that is not used. `referral` is as it was before.
    """
    return _ORDER_BODIES[order.status](
        **_of_order(order, referral),
        **_of_kept(before, order, referral),
        is_new=not order.revision,
        code_problem=None if before else code_problem,
    )


def order_corrected(before: Order, order: Order, referral: Referral) -> OrderCorrected:
    """The body for an order that a later report corrects."""
    was_counted = before.first_version is not None  # 0.2.0 did not count buyers
    is_other = was_counted and before.buyer is not order.buyer
    # With a new status there is a fact of its own, which says it.
    kept = _of_kept(before, order, referral) if before.status is order.status else {}
    return OrderCorrected(
        **_of_order(order, referral),
        **kept,
        buyer_before=before.buyer if is_other else None,
        # What was counted when it was kept; its return counts for itself.
        kept_orders=(order.counts - before.counts) if before.status is OrderStatus.KEPT else 0,
    )


def order_left(before: Order, referral: Referral) -> OrderCorrected:
    """The body for the referral that an order turns out not to belong to."""
    was_kept = before.counts and before.status is OrderStatus.KEPT
    gone = replace(before, counts=False)
    return OrderCorrected(
        **_of_order(gone, referral), **_of_kept(before, gone, referral), kept_orders=-was_kept
    )


def _of_kept(before: Order | None, order: Order, referral: Referral) -> dict[str, Any]:
    """What changes in the kept orders of a referral; nothing where neither was one."""
    was, now = is_kept(before), is_kept(order)
    revenue = now * order.amount_minor - (before.amount_minor if before and was else 0)
    kept = kept_order_count(referral)
    return {
        "revenue_minor": revenue or None,
        "reaches": kept + 1 if now and not was else None,
        "loses": kept if was and not now else None,
        "confirmed_at": referral.confirmed_at.isoformat() if was != now else None,
    }


def _of_order(order: Order, referral: Referral) -> dict[str, Any]:
    return {
        "order_ref_id": order.order_ref,
        "referral_id": referral.referral_id,
        "sponsor_id": referral.sponsor_id,
        "amount_minor": order.amount_minor,
        "buyer": order.buyer,
        "is_excluded": not order.counts,
    }


_ORDER_BODIES: Mapping[OrderStatus, type[OrderBody]] = {
    OrderStatus.PLACED: OrderPlaced,
    OrderStatus.KEPT: OrderKept,
    OrderStatus.RETURNED: OrderReturned,
    OrderStatus.CANCELLED: OrderCancelled,
}


@dataclass(frozen=True, kw_only=True)
class RewardRefused(FactBody, name=FactName.REWARD_REFUSED):
    """A rule granted nothing, because of `reason`.

    The last three are of one that was held: its value, its holder's role, and who decided (an AWS
    principal, never a name; None where nobody did in time).
    """

    referral_id: str
    sponsor_id: str
    rule: str
    rung: int
    verdict: Verdict | None = None
    reason: RewardRefusal
    customers_version: int | None = None
    found_on_later_list: bool = False
    value_minor: int | None = None
    holder: HolderRole | None = None
    by: str | None = None

    @property
    def is_by_review(self) -> bool:
        """Whether it was held before."""
        return self.reason in BY_REVIEW

    @classmethod
    def in_review(
        cls, held: Reward, referral: Referral, reason: RewardRefusal, *, by: str | None
    ) -> RewardRefused:
        body = cls.of(held, referral, reason, found_on_later_list=False)
        return replace(body, value_minor=held.value_minor, holder=held.to, by=by)

    @classmethod
    def of(
        cls,
        refused: Reward,
        referral: Referral,
        reason: RewardRefusal,
        *,
        found_on_later_list: bool,
    ) -> RewardRefused:
        return cls(
            referral_id=referral.referral_id,
            sponsor_id=referral.sponsor_id,
            rule=refused.rule,
            rung=refused.rung,
            verdict=REFUSED,
            reason=reason,
            customers_version=refused.customers_version,
            found_on_later_list=found_on_later_list,
        )


@dataclass(frozen=True, kw_only=True)
class _HeldReward(FactBody):
    """A reward that is held, or was. `value_minor` is kept free for it in the budget."""

    referral_id: str
    sponsor_id: str
    rule: str
    rung: int
    holder: HolderRole
    value_minor: int

    @property
    def holder_id(self) -> str:
        """Whose voucher it is, or would be."""
        return self.sponsor_id if self.holder is HolderRole.SPONSOR else self.referral_id


def _of_held(held: Reward, referral: Referral) -> dict[str, Any]:
    return {
        "referral_id": referral.referral_id,
        "sponsor_id": referral.sponsor_id,
        "rule": held.rule,
        "rung": held.rung,
        "holder": held.to,
        "value_minor": held.value_minor,
    }


@dataclass(frozen=True, kw_only=True)
class RewardHeld(_HeldReward, name=FactName.REWARD_HELD):
    """A reward waits for a decision. `signals`: what speaks against it, heaviest first, as words
    between spaces.
    """

    score: int
    signals: str
    campaign_version: int
    customers_version: int | None = None

    @classmethod
    def of(cls, held: Reward, referral: Referral, scored: Score, version: int) -> RewardHeld:
        return cls(
            **_of_held(held, referral),
            score=scored.total,
            signals=" ".join(one.signal.value for one in scored.signals),
            campaign_version=version,
            customers_version=held.customers_version,
        )


@dataclass(frozen=True, kw_only=True)
class RewardReleased(_HeldReward, name=FactName.REWARD_RELEASED):
    """A held reward is granted next. `by`: who decided (an AWS principal, never a name), None where
    nobody did in time.
    """

    by: str | None = None

    @classmethod
    def of(cls, held: Reward, referral: Referral, *, by: str | None) -> RewardReleased:
        return cls(**_of_held(held, referral), by=by)


@dataclass(frozen=True, kw_only=True)
class RewardHoldEnded(_HeldReward, name=FactName.REWARD_HOLD_ENDED):
    """A held reward fell away, because no order earns it any more. `reason`: the name of a fact, or
    `not_earned`. `was_released`: it was about to be granted.
    """

    reason: str
    was_released: bool = False

    @classmethod
    def of(
        cls, held: Reward, referral: Referral, reason: str, *, was_released: bool
    ) -> RewardHoldEnded:
        return cls(**_of_held(held, referral), reason=reason, was_released=was_released)


@dataclass(frozen=True, kw_only=True)
class RewardRevoked(_WorthBody, name=FactName.REWARD_REVOKED):
    """A granted voucher was revoked. `reason`: the name of a fact, or `rolled_back`."""

    rule: str
    rung: int
    reason: str

    @classmethod
    def of(cls, voucher: Voucher, reason: str) -> RewardRevoked:
        return cls(**_worth(voucher), rule=voucher.rule, rung=voucher.rung, reason=reason)
