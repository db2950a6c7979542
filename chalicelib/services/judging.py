"""Judging a reward about to be granted: reads the evidence, lets `domain/review.py` score it.

Only for a campaign with a review. One query has all the sponsor's invitations, with what was
recorded of their addresses and confirmations; for a rung the orders and the uses of the referee's
vouchers are read too. The public routes read nothing for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.domain.campaign.review import Review
from chalicelib.domain.earned import Earned, is_rung
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.orders import Buyer, Order, OrderStatus
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.review import Buying, Score, evidence_of, is_at_minimum, score
from chalicelib.domain.rewards import CONFIRMATION_RUNG
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import BATCH_LIMIT, Change, Key, Ports, Replace
from chalicelib.services.referral_orders import orders_of
from chalicelib.services.reward_state import ReferralRewards

_OTHERS = frozenset({Buyer.SPONSOR, Buyer.OTHER_REFEREE})


def judge(
    ports: Ports, state: ReferralRewards, earned: Earned, review: Review
) -> tuple[Score, list[Change]]:
    """The score of what is about to be granted, by the rules of when it was earned; and what is
    recorded with the decision, for those that are judged later.
    """
    referral = state.referral
    invitations = list(ports.repository.within(Invitation, sponsor_id=state.sponsor.sponsor_id))
    own = next((one for one in invitations if one.referral_id == referral.referral_id), None)
    buying = Buying() if earned.rung == CONFIRMATION_RUNG else _buying(ports, state, earned)
    scored = score(review, evidence_of(review, state.sponsor, own, invitations, buying))
    if own is None or not buying.orders or own.bought_at_minimum is buying.only_minimum:
        return scored, []
    return scored, [Replace(replace(own, bought_at_minimum=buying.only_minimum))]


def _buying(ports: Ports, state: ReferralRewards, earned: Earned) -> Buying:
    orders = orders_of(ports, state.referral)
    present = [order for order in orders if is_rung(order) and order.status in _PRESENT]
    returned = sum(order.status is OrderStatus.RETURNED for order in orders)
    # Used before its order was returned, so that it could not be revoked.
    spent = sum(reward.is_used for reward in state.rewards)
    return Buying(
        orders=len(present),
        at_minimum=sum(is_at_minimum(o.amount_minor, _minimum(earned, o)) for o in present),
        returned=returned + spent,
        by_others=_used_by_others(ports, ports.repository.held_by(state.referral.referral_id)),
    )


_PRESENT = frozenset({OrderStatus.PLACED, OrderStatus.KEPT})


def _minimum(earned: Earned, order: Order) -> int:
    """The smallest amount, in minor units, with which the order earns this, or with which its
    voucher was accepted.
    """
    asked = int((earned.rule.conditions.minimum_amount or 0) * 100)
    template = earned.campaign.templates.get(order.template or "")
    return max(asked, template.minimum_basket_minor if template else 0)


def _used_by_others(ports: Ports, held: Sequence[Voucher]) -> int:
    """How many of the referee's vouchers the sponsor or another referee has used."""
    used = [(one, one.redeemed_by) for one in held if one.redeemed_by][: BATCH_LIMIT // 2]
    if not used:
        return 0
    keys = [
        (
            Key.of(Order, campaign=voucher.campaign, order_id=order_id),
            Key.of(Redemption, code_key=voucher.code_key, order_id=order_id),
        )
        for voucher, order_id in used
    ]
    found = ports.repository.read(*(key for pair in keys for key in pair))
    pairs = [(found.get(order), found.get(redemption)) for order, redemption in keys]
    return sum(any(one is not None and one.buyer in _OTHERS for one in pair) for pair in pairs)
