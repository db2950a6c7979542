"""What the review finds of a planted ring, and whom of the honest it holds: the domain's own code.

    python -m bench.abuse score        # or: make abuse NAME=score

People come from `people.py`. What a use case would record is recorded by the same functions
(traces, answers from a network within the hour), and each reward is judged when it would be
granted: the welcome with the confirmation, the sponsor's with the first order that is kept. A
referral counts as held once one of its rewards is. tests/services/test_planted_ring.py plays a
small population through the use cases and compares what is held, one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bench.abuse.figures import Part, Row
from bench.abuse.people import (
    MINIMUM_MINOR,
    REPORTED,
    Circle,
    People,
    Ranges,
    Referee,
)
from chalicelib.domain.addresses import Address, AddressDigests, DigestKey
from chalicelib.domain.campaign.review import Review, Signal
from chalicelib.domain.invitations import Channel, Invitation, InvitationState
from chalicelib.domain.people import Sponsor
from chalicelib.domain.review import (
    NETWORK_KEPT_FOR,
    Buying,
    evidence_of,
    is_at_minimum,
    is_to_be_held,
    score,
)
from chalicelib.domain.traces import network_of, traces_of

KEY = DigestKey("tandem.2", secret=b"bench")
RETURN_WINDOW = timedelta(days=14)
FOUND_AT_LEAST, HELD_AT_MOST = 0.90, 0.01
REPORTED_SEEDS = range(30_001, 30_006)


@dataclass(frozen=True)
class Outcome:
    """Of one population: how many referrals, and how many of them are held, by kind of circle."""

    referrals: Mapping[str, int]
    held: Mapping[str, int]
    signals: Mapping[Signal, int]

    def share(self, *, ring: bool) -> float:
        """The share that is held: of the ring, or of the honest."""
        kinds = [kind for kind in self.referrals if kind.startswith("ring") is ring]
        return sum(self.held[kind] for kind in kinds) / sum(self.referrals[kind] for kind in kinds)


def judged(circles: Sequence[Circle], review: Review) -> Outcome:
    """What the review makes of a population."""
    total: Counter[str] = Counter()
    held: Counter[str] = Counter()
    signals: Counter[Signal] = Counter()
    for circle in circles:
        total[circle.kind] += len(circle.referees)
        for found in held_in(circle, review).values():
            held[circle.kind] += bool(found)
            signals.update(found)
    return Outcome(total, held, signals)


def held_in(circle: Circle, review: Review) -> dict[str, frozenset[Signal]]:
    """The referees of a circle who have a reward held, by address, with the signals."""
    sponsor = _sponsor(circle)
    invitations = _recorded(circle)
    found: dict[str, frozenset[Signal]] = {}
    moments = [(at, one.address, buying) for one in circle.referees for at, buying in _moments(one)]
    for at, address, buying in sorted(moments, key=lambda moment: moment[:2]):
        own = invitations[address]
        known = [one for one in invitations.values() if one.ended_at and one.ended_at <= at]
        scored = score(review, evidence_of(review, sponsor, own, known, buying))
        if buying.orders:
            invitations[address] = replace(own, bought_at_minimum=buying.only_minimum)
        if is_to_be_held(review, scored):
            found[address] = frozenset(one.signal for one in scored.signals)
    return found


def _moments(referee: Referee) -> Iterable[tuple[datetime, Buying]]:
    """When rewards are judged, and what is known of the orders then: with the confirmation, and
    when the first order is kept.
    """
    yield referee.confirmed_at, Buying()
    kept = sorted(
        one.days_after for one in referee.orders if not one.is_returned and not one.by_other
    )
    if not kept:
        return
    after = timedelta(days=kept[0]) + RETURN_WINDOW
    known = [one for one in referee.orders if timedelta(days=one.days_after) <= after]
    present = [one for one in known if not one.is_returned and not one.by_other]
    yield (
        referee.confirmed_at + after,
        Buying(
            orders=len(present),
            at_minimum=sum(is_at_minimum(one.amount_minor, MINIMUM_MINOR) for one in present),
            returned=sum(one.is_returned and not one.by_other for one in known),
            by_others=sum(one.by_other for one in known),
        ),
    )


def _sponsor(circle: Circle) -> Sponsor:
    address = Address.parse(circle.sponsor)
    return Sponsor(
        sponsor_id="s",
        campaign="c",
        contact_id="k",
        digests=AddressDigests.of(address, [KEY]),
        link_code="l",
        locale="fr",
        created_at=circle.invited_at,
        vip_list_version=1,
        traces=traces_of(address, KEY),
    )


def _recorded(circle: Circle) -> dict[str, Invitation]:
    """The confirmed invitations, with what is recorded of them, by address."""
    beside = _beside(circle)
    return {
        referee.address: Invitation(
            invitation_id=referee.address,
            campaign="c",
            sponsor_id="s",
            contact_id="k",
            channel=referee.channel,
            masked="",
            locale="fr",
            state=InvitationState.CONFIRMED,
            received_at=referee.sent_at,
            closes_at=referee.confirmed_at + timedelta(days=14),
            campaign_version=1,
            correlation="i",
            sent_at=referee.sent_at,
            ended_at=referee.confirmed_at,
            referral_id=referee.address,
            traces=traces_of(Address.parse(referee.address), KEY),
            answers_beside=beside[referee.address],
        )
        for referee in circle.referees
    }


def _beside(circle: Circle) -> dict[str, int]:
    """How many answered from the network of each confirmation within the hour before it."""
    # Who only shares a link makes no call.
    invites = any(one.channel is Channel.EMAIL for one in circle.referees)
    calls = [(circle.invited_at, circle.caller, "")] if invites else []
    calls += [(one.confirmed_at, one.caller, one.address) for one in circle.referees]
    answers: dict[str, tuple[int, datetime]] = {}
    beside: dict[str, int] = {}
    for at, caller, address in sorted(calls):
        network = network_of(caller) or ""
        known, until = answers.get(network, (0, at))
        known = known if at < until else 0
        beside[address] = known
        answers[network] = known + 1, at + NETWORK_KEPT_FOR
    return beside


def outcomes(ranges: Ranges, seeds: Iterable[int], review: Review) -> list[Outcome]:
    """The outcomes of some populations."""
    return [judged(People(ranges, seed).population(), review) for seed in seeds]


def part(seeds: Sequence[int] = REPORTED_SEEDS) -> Part:
    """The figures of the populations that the weights and the signals never saw."""
    seen = outcomes(REPORTED, seeds, Review())
    kinds = sorted({kind for one in seen for kind in one.referrals})
    by_kind = {
        kind: {
            "referrals": sum(one.referrals[kind] for one in seen),
            "held": sum(one.held[kind] for one in seen),
        }
        for kind in kinds
    }
    found = [one.share(ring=True) for one in seen]
    held = [one.share(ring=False) for one in seen]
    rows = [
        Row(
            f"found of a ring of 50 among 5,000 honest referrals, {len(seen)} populations",
            ", ".join(f"{share:.0%}" for share in found),
            f"at least {FOUND_AT_LEAST:.0%}",
            min(found) >= FOUND_AT_LEAST,
        ),
        Row(
            "held of the honest",
            ", ".join(f"{share:.2%}" for share in held),
            f"at most {HELD_AT_MOST:.0%}",
            max(held) <= HELD_AT_MOST,
        ),
        *(
            Row(f"of them: {kind}", f"{of['held']:,} of {of['referrals']:,} held", "", True)
            for kind, of in by_kind.items()
        ),
    ]
    return Part(rows, {"by_kind": by_kind, "found_of_the_ring": found, "held_of_the_honest": held})
