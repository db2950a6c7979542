"""May this person be invited by this sponsor? One decision, one named reason.

`CHECKS` lists the reasons in order of precedence; the customer list comes last because it is the
only check that costs a look-up. `Evidence` holds what was found; nothing here looks anything up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from chalicelib.domain.addresses import AddressDigests

Verdict = Literal["eligible", "refused"]

ELIGIBLE: Verdict = "eligible"
REFUSED: Verdict = "refused"


class Reason(StrEnum):
    """Why a referee may, or may not, be invited. The values are stored and published."""

    ELIGIBLE = "eligible"
    ERASED = "erased"
    CAMPAIGN_CLOSED = "campaign_closed"
    ROLE_ADDRESS = "role_address"
    DISPOSABLE_ADDRESS = "disposable_address"
    UNDELIVERABLE_ADDRESS = "undeliverable_address"
    NO_MAIL_DOMAIN = "no_mail_domain"
    SPONSOR_IN_DISGUISE = "sponsor_in_disguise"
    ALREADY_INVITED = "already_invited"
    OPPOSED = "opposed"
    TOO_LATE = "too_late"
    CUSTOMER = "customer"
    CUSTOMER_ALIAS = "customer_alias"
    BECAME_CUSTOMER = "became_customer"
    SPONSOR_LEFT = "sponsor_left"
    """the sponsor is not on the VIP list in force any more"""

    @property
    def verdict(self) -> Verdict:
        """The verdict that the reason leads to."""
        return ELIGIBLE if self is Reason.ELIGIBLE else REFUSED


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of an invitation when it is decided on, except for the customer list.

    `takes_mail`: whether the domain of the address does, None when nobody can tell. `past_closing`:
    it waited so long that it can no longer be answered.
    """

    campaign_open: bool
    quality_problem: str | None
    sponsor: AddressDigests
    referee: AddressDigests
    already_invited: bool
    opposed: bool
    past_closing: bool = False
    takes_mail: bool | None = None


def is_same_person(one: AddressDigests, other: AddressDigests) -> bool:
    """True when two addresses reach one mailbox: equal canonical digests under some key."""
    return not {pair.canonical for pair in one.pairs}.isdisjoint(
        pair.canonical for pair in other.pairs
    )


CHECKS: tuple[tuple[Reason, Callable[[Evidence], bool]], ...] = (  # in order of precedence
    (Reason.CAMPAIGN_CLOSED, lambda e: not e.campaign_open),
    (Reason.ROLE_ADDRESS, lambda e: e.quality_problem == Reason.ROLE_ADDRESS),
    (Reason.DISPOSABLE_ADDRESS, lambda e: e.quality_problem == Reason.DISPOSABLE_ADDRESS),
    (Reason.UNDELIVERABLE_ADDRESS, lambda e: e.quality_problem == Reason.UNDELIVERABLE_ADDRESS),
    (Reason.NO_MAIL_DOMAIN, lambda e: e.takes_mail is False),
    (Reason.SPONSOR_IN_DISGUISE, lambda e: is_same_person(e.sponsor, e.referee)),
    (Reason.ALREADY_INVITED, lambda e: e.already_invited),
    (Reason.OPPOSED, lambda e: e.opposed),
    (Reason.TOO_LATE, lambda e: e.past_closing),
)


def problem_before_lists(evidence: Evidence) -> Reason | None:
    """Why the referee may not be invited, as far as is known without the customer list."""
    return next((reason for reason, applies in CHECKS if applies(evidence)), None)


def problem_on_lists(sponsor_found: str | None, found: str | None) -> Reason | None:
    """Why the lists forbid an invitation: the sponsor is not found on the VIP list, or the referee
    is found on that of customers (law 3); None if they do not.
    """
    if sponsor_found is None:
        return Reason.SPONSOR_LEFT
    return {"exact": Reason.CUSTOMER, "alias": Reason.CUSTOMER_ALIAS}[found] if found else None
