"""Reading the orders that count for a referral: all that its rules can use, and no more.

Those that the referral lists are read by their ids. Of the further ones the first of each group are
read, as many as the highest rung that a rule of any version asks for: an order after those changes
nothing, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.campaign.versions import CampaignVersion
from chalicelib.domain.orders import Order
from chalicelib.domain.referral_orders import FurtherOrder, highest_rungs
from chalicelib.domain.referrals import Referral, known_order_ids
from chalicelib.services.ports import Ports


def orders_of(ports: Ports, referral: Referral) -> list[Order]:
    """The orders that count for the referral, in any status: the first one, and all that can earn
    something.
    """
    further = _first_further(ports, referral) if referral.further_orders else ()
    keys = [
        {"campaign": referral.campaign, "order_id": order_id}
        for order_id in [*known_order_ids(referral), *further]
    ]
    return [
        order
        for order in ports.repository.get_many(Order, keys)
        if order.referral_id == referral.referral_id
    ]


def _first_further(ports: Ports, referral: Referral) -> Iterator[str]:
    versions = ports.repository.within(CampaignVersion, campaign=referral.campaign)
    for group, number in highest_rungs(version.document for version in versions).items():
        for further in ports.repository.first_within(
            FurtherOrder, number, referral_id=referral.referral_id, group=group
        ):
            yield further.order_id
