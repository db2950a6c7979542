"""How suspicious a reward is: what speaks against it, a score, and the reasons beside it.

    invitation ─► traces of the address        confirmation ─► when, and from which network
         └────────────────────┬─────────────────────┘
                          evidence ◄── orders, returns, who used the vouchers
                              ▼
                    a score, signal by signal ─► held, or granted

Everything here is pure and deterministic: the same evidence gives the same score. Evidence is
words, counts, times and keyed hashes (`traces.py`). It adds nothing to what is stored of a person
for other reasons, except her network, of which only a number outlives the hour. A signal that
honest people give too (a family on one network, colleagues at one domain) stays below the limit by
itself: it takes several that have nothing to do with one another.

What follows from a score is decided by people (`services/vouchers/review_rewards.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.review import LIMITS, Review, Signal
from chalicelib.domain.entity import Entity
from chalicelib.domain.invitations import Channel, Invitation, InvitationState
from chalicelib.domain.people import Sponsor
from chalicelib.domain.traces import alike

NETWORK_KEPT_FOR = timedelta(hours=1)
BURST = timedelta(minutes=30)
HOUR = timedelta(hours=1)
# Nobody reads an unexpected mail sooner than this. Somebody who signed up by a link waits for the
# mail: only a program is faster.
READ_IN: Mapping[Channel, timedelta] = {
    Channel.EMAIL: timedelta(seconds=25),
    Channel.LINK: timedelta(seconds=6),
}
MINIMUM_TOLERANCE_PERCENT = 5

# From how many a signal counts, and with how many it has all of its points.
SCALE: Mapping[Signal, tuple[int, int]] = {
    Signal.SAME_DOMAIN: (2, 5),
    Signal.SEQUENCE: (1, 2),
    Signal.BURST: (3, 8),
    Signal.IN_SECONDS: (1, 3),
    Signal.ONE_NETWORK: (2, 6),
    Signal.MINIMUM_ORDERS: (1, 4),
    Signal.BOUGHT_AND_RETURNED: (1, 3),
    Signal.ANOTHER_BUYER: (1, 2),
}


@dataclass(frozen=True, kw_only=True)
class NetworkAnswers(Entity):
    """How many answered from one network for one sponsor: herself, and referees who confirmed. It
    ends an hour after the last one.
    """

    sponsor_id: str
    network: str
    campaign: str
    answers: int
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class DomainDay(Entity):
    """How many with an address at one private domain were invited on one local day. It ends with
    the day after.
    """

    campaign: str
    domain: str
    day: str
    invited: int
    ends_at: datetime


def network_answers(
    before: NetworkAnswers | None, sponsor: Sponsor, network: str, now: datetime
) -> NetworkAnswers:
    """The answers from a network with one more, kept for an hour from now."""
    known = before or NetworkAnswers(
        sponsor_id=sponsor.sponsor_id,
        network=network,
        campaign=sponsor.campaign,
        answers=0,
        ends_at=now,
    )
    return replace(known, answers=known.answers + 1, ends_at=now + NETWORK_KEPT_FOR)


def domain_day(
    before: DomainDay | None, campaign: Campaign, domain: str, now: datetime
) -> DomainDay:
    """The invitations to one private domain on a day, with one more."""
    today = campaign.local_date(now)
    known = before or DomainDay(
        campaign=campaign.id,
        domain=domain,
        day=today.isoformat(),
        invited=0,
        ends_at=campaign.end_of_day(today + timedelta(days=1)),
    )
    return replace(known, invited=known.invited + 1)


@dataclass(frozen=True, kw_only=True)
class Buying:
    """What the referee's orders say: how many count, how many of them are just large enough, how
    many were returned, and how often somebody else of the programme used the referee's vouchers.
    """

    orders: int = 0
    at_minimum: int = 0
    returned: int = 0
    by_others: int = 0

    @property
    def only_minimum(self) -> bool:
        """Whether there is an order, and none is larger than it had to be."""
        return self.orders > 0 and self.at_minimum == self.orders


@dataclass(frozen=True, kw_only=True)
class ScoredSignal:
    """One signal: how much of it was seen, and the points it adds."""

    signal: Signal
    seen: int
    points: int


@dataclass(frozen=True, kw_only=True)
class Score:
    """The sum of the points, and the signals that gave them, the heaviest first."""

    total: int
    signals: tuple[ScoredSignal, ...] = ()

    @property
    def over_limit(self) -> bool:
        """Whether it is beyond a limit of the campaign, whatever the points."""
        return any(one.signal in LIMITS for one in self.signals)


@dataclass(frozen=True, kw_only=True)
class Hold:
    """That a reward waits, or waited, for somebody's decision: why, and until when at the latest.

    `released_at` is None until it is released, `released_by` also where nobody decided in time.
    """

    held_at: datetime
    ends_at: datetime
    score: int
    signals: tuple[ScoredSignal, ...]
    released_at: datetime | None = None
    released_by: str | None = None


def hold_ends_at(campaign: Campaign, now: datetime) -> datetime:
    """When a hold ends without a decision: before the addresses do, so that a mail can leave."""
    last = campaign.contact_ends_at() - timedelta(days=1)
    if campaign.review is None:
        return last
    day = campaign.local_date(now) + timedelta(days=campaign.review.decide_within_days)
    return min(campaign.end_of_day(day), last)


def score(review: Review, evidence: Mapping[Signal, int]) -> Score:
    """The score of what was seen, by the campaign's weights."""
    found = [*_weighed(review, evidence), *_limits(evidence)]
    found.sort(key=lambda one: (-one.points, one.signal))
    return Score(total=sum(one.points for one in found), signals=tuple(found))


def is_to_be_held(review: Review, scored: Score) -> bool:
    """Whether a reward with that score waits for a decision."""
    return scored.over_limit or scored.total > review.hold_over


def _weighed(review: Review, evidence: Mapping[Signal, int]) -> Iterator[ScoredSignal]:
    for signal, (first, full) in SCALE.items():
        seen, weight = evidence.get(signal, 0), review.weights.of(signal)
        if seen >= first and weight:
            yield ScoredSignal(signal=signal, seen=seen, points=weight * min(seen, full) // full)


def _limits(evidence: Mapping[Signal, int]) -> Iterator[ScoredSignal]:
    for signal in sorted(LIMITS):
        if seen := evidence.get(signal, 0):
            yield ScoredSignal(signal=signal, seen=seen, points=0)


# --- what is seen -------------------------------------------------------------------------------


def evidence_of(
    review: Review,
    sponsor: Sponsor,
    invitation: Invitation | None,
    invitations: Iterable[Invitation],
    buying: Buying,
) -> dict[Signal, int]:
    """What is seen of a referral: how often each signal. `invitations` are all of the sponsor's;
    `invitation` is None where it is erased: then only the orders say anything.
    """
    seen = {
        Signal.MINIMUM_ORDERS: _at_minimum(buying, ()),
        Signal.BOUGHT_AND_RETURNED: buying.returned,
        Signal.ANOTHER_BUYER: buying.by_others,
    }
    if invitation is None or invitation.ended_at is None:
        return seen
    others = [
        each
        for each in invitations
        if each.state is InvitationState.CONFIRMED
        and each.invitation_id != invitation.invitation_id
    ]
    own = invitation.traces
    at = invitation.ended_at
    seen[Signal.SAME_DOMAIN] = alike(own.domain, _with(sponsor.traces.domain, others, "domain"))
    seen[Signal.SEQUENCE] = alike(own.stem, _with(sponsor.traces.stem, others, "stem"))
    seen[Signal.BURST] = sum(_is_within(BURST, at, each) for each in others)
    seen[Signal.IN_SECONDS] = _in_seconds(invitation, others)
    seen[Signal.ONE_NETWORK] = invitation.answers_beside
    seen[Signal.MINIMUM_ORDERS] = _at_minimum(buying, others)
    seen |= _beyond_limits(review, invitation, others)
    return seen


def _with(own: str | None, others: Sequence[Invitation], trace: str) -> list[str | None]:
    return [own, *(getattr(each.traces, trace) for each in others)]


def _at_minimum(buying: Buying, others: Sequence[Invitation]) -> int:
    """How many of those who have bought, this referee and the sponsor's others, spent just enough;
    none unless they are at least half: some thrifty people are in every circle.
    """
    spent = [each.bought_at_minimum for each in others if each.bought_at_minimum is not None]
    if buying.orders:
        spent.append(buying.only_minimum)
    thrifty = sum(spent)
    return thrifty if 2 * thrifty >= len(spent) else 0


def _is_within(span: timedelta, at: datetime, other: Invitation) -> bool:
    return other.ended_at is not None and abs(other.ended_at - at) <= span


def _in_seconds(invitation: Invitation, others: Sequence[Invitation]) -> int:
    """This one and the others that were as fast; none unless this one was."""
    if not is_in_seconds(invitation):
        return 0
    return 1 + sum(map(is_in_seconds, others))


def is_in_seconds(invitation: Invitation) -> bool:
    """Whether a confirmation came sooner after its mail than anybody reads it."""
    if invitation.sent_at is None or invitation.ended_at is None:
        return False
    return invitation.ended_at - invitation.sent_at < READ_IN[invitation.channel]


def _beyond_limits(
    review: Review, invitation: Invitation, others: Sequence[Invitation]
) -> dict[Signal, int]:
    """What is beyond a limit: the count that is, nothing within it. Of an hour those who confirmed
    before count, so that the first ones stay within the limit.
    """
    beyond: dict[Signal, int] = {}
    by_domain, by_hour = review.per_private_domain_per_day, review.per_sponsor_per_hour
    if by_domain is not None and invitation.domain_number > by_domain:
        beyond[Signal.OVER_DOMAIN_LIMIT] = invitation.domain_number
    if by_hour is not None and invitation.ended_at:
        at = invitation.ended_at
        earlier = (each.ended_at for each in others if each.ended_at)
        within = 1 + sum(timedelta(0) <= at - each < HOUR for each in earlier)
        if within > by_hour:
            beyond[Signal.OVER_HOUR_LIMIT] = within
    return beyond


def is_at_minimum(amount_minor: int, minimum_minor: int) -> bool:
    """Whether an amount is just large enough; no amount is where there is no minimum."""
    most = minimum_minor + minimum_minor * MINIMUM_TOLERANCE_PERCENT // 100
    return 0 < minimum_minor <= amount_minor <= most
