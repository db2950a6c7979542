"""May this person be invited by this sponsor? One decision, one named reason.

The order of the checks is the order of the reasons' precedence; the customer list comes last
because it is the only one that costs a look-up. `Evidence` holds what was found; nothing here looks
anything up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.addresses import AddressDigests

Found = Literal["exact", "alias"]
Verdict = Literal["eligible", "refused"]

ELIGIBLE: Verdict = "eligible"
REFUSED: Verdict = "refused"
NO_MAIL_DOMAIN = "no_mail_domain"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of one invitation when it is decided on, the customer list left out."""

    campaign_open: bool
    quality_problem: str | None
    sponsor: AddressDigests
    referee: AddressDigests
    already_invited: bool
    opposed: bool


def verdict_on(reason: str) -> Verdict:
    """What the reason of a decision comes to."""
    return ELIGIBLE if reason == ELIGIBLE else REFUSED


def all_digests(digests: AddressDigests) -> tuple[str, ...]:
    """Every digest of an address, under every key, exact and canonical, each once."""
    values = (value for pair in digests.pairs for value in (pair.exact, pair.canonical))
    return tuple(dict.fromkeys(values))


def is_same_person(one: AddressDigests, other: AddressDigests) -> bool:
    """True when two addresses reach one mailbox: their canonical digests meet under some key."""
    return not {pair.canonical for pair in one.pairs}.isdisjoint(
        pair.canonical for pair in other.pairs
    )


def problem_before_lists(evidence: Evidence) -> str | None:
    """Why the referee may not be invited, as far as we know without the customer list."""
    if not evidence.campaign_open:
        return "campaign_closed"
    if evidence.quality_problem:
        return evidence.quality_problem
    if is_same_person(evidence.sponsor, evidence.referee):
        return "sponsor_in_disguise"
    if evidence.already_invited:
        return "already_invited"
    if evidence.opposed:
        return "opposed"
    return None


def problem_on_list(found: str | None) -> str | None:
    """Why a referee whom the customer list knows may not be invited (law 3)."""
    return {"exact": "customer", "alias": "customer_alias"}[found] if found else None
