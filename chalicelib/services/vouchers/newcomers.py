"""Whether a referee was a newcomer: not on the customer list as of the first order (law 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.orders import Order
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.referrals import Referral, with_newcomer_check
from chalicelib.services.errors import RetryLaterError, WaitsFor
from chalicelib.services.list_ports import NO_LONGER_KEPT, ListUnavailableError, Membership
from chalicelib.services.lookups import current_campaign, find_customer_as_of, referee_of
from chalicelib.services.ports import Ports, Replace
from chalicelib.services.referral_orders import orders_of


def with_newcomer_checked(ports: Ports, referral: Referral, orders: Sequence[Order]) -> Referral:
    """The referral, with the list's answer as of the first order known. Every list made later has
    the referee, who is a customer by then. Asked again when an earlier order becomes known.
    """
    first = min(order.ordered_at for order in orders)
    if referral.newcomer is not None:
        # 0.2.0 stored neither when that order was made nor which orders are not kept yet.
        is_older = referral.newcomer_as_of is None and referral.orders > len(orders)
        if referral.newcomer_as_of == first or is_older:
            return referral
    campaign = current_campaign(ports, referral.campaign)
    customers = _find_customer(ports, campaign, referral, first)
    checked = with_newcomer_check(
        referral,
        newcomer=customers.found is None,
        list_version=customers.version,
        first_ordered_at=first,
    )
    ports.repository.commit(Replace(checked))
    return replace(checked, revision=referral.revision + 1)


def newcomer_at_redemption(
    ports: Ports, referral: Referral, redemption: Redemption
) -> tuple[Referral, bool]:
    """By the first order known; before any, by the list as of the order of the redemption."""
    if orders := orders_of(ports, referral):
        checked = with_newcomer_checked(ports, referral, orders)
        return checked, checked.newcomer is not False
    campaign = current_campaign(ports, referral.campaign)
    customers = _find_customer(ports, campaign, referral, redemption.ordered_at)
    return referral, customers.found is None


def _find_customer(
    ports: Ports, campaign: Campaign, referral: Referral, at: datetime
) -> Membership:
    if referral.is_erased:
        # Nobody is looked up any more; who invited her loses nothing by that.
        return Membership(referral.customers_version, None)
    try:
        return find_customer_as_of(ports, campaign, referee_of(ports, referral), at)
    except ListUnavailableError as error:
        if error.reason == NO_LONGER_KEPT:
            # A first order reported late: the confirmation is the last list that says something.
            return Membership(referral.customers_version, None)
        raise RetryLaterError(WaitsFor.A_LIST) from error
