"""The feed: the last acts of a campaign, as its dashboard shows them while they happen.

    facts of a batch ──► part of the journal ──► head of the campaign's journal
                         the last of each           the last of all that is sealed
                         campaign in it

An act is what a fact says of itself: what happened, when, by which channel. It holds no id of a
person. Acts are kept in items that are written anyway (`journal.py`), as short words, so that a
batch costs nothing more; what reads them puts them together again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chalicelib.domain.fact_bodies import InvitationSent, body_of
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import CHANNEL_OF_MAIL, Channel

ACTS_SHOWN = 20

F = FactName
# What marketing follows, each with the letters it is stored as: they never change. What strangers
# make happen as often as they like is not among them, nor what only machines do.
ACTS: Mapping[FactName, str] = {
    F.CAMPAIGN_PUT: "cp",
    F.SIGN_IN_GRANTED: "sg",
    F.INVITATION_RECEIVED: "ir",
    F.INVITATION_REFUSED: "if",
    F.INVITATION_SENT: "is",
    F.INVITATION_DECLINED: "id",
    F.INVITATION_BOUNCED: "ib",
    F.INVITATION_EXPIRED: "ie",
    F.REFERRAL_CONFIRMED: "rc",
    F.VOUCHER_ISSUED: "vi",
    F.VOUCHER_ACKNOWLEDGED: "va",
    F.VOUCHER_REDEEMED: "vr",
    F.VOUCHER_ROLLED_BACK: "vb",
    F.VOUCHER_EXPIRED: "ve",
    F.ORDER_PLACED: "op",
    F.ORDER_KEPT: "ok",
    F.ORDER_RETURNED: "or",
    F.ORDER_CANCELLED: "oc",
    F.REWARD_REVOKED: "rr",
    F.LIST_ACCEPTED: "la",
}
# What a stranger could learn of an address that was typed a moment ago: not on a screen in a shop.
NOT_ON_WALLS = frozenset(
    [
        F.SIGN_IN_GRANTED,
        F.INVITATION_REFUSED,
        F.INVITATION_SENT,
        F.INVITATION_DECLINED,
        F.INVITATION_BOUNCED,
        F.INVITATION_EXPIRED,
    ]
)
_NAMES = {letters: name for name, letters in ACTS.items()}
_CHANNELS: Mapping[Channel | None, str] = {None: "-", Channel.EMAIL: "e", Channel.LINK: "l"}
_CHANNEL_OF = {letter: channel for channel, letter in _CHANNELS.items()}
_LETTERS, _MARK = 2, 6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Act:
    """One thing that happened. `mark` tells it from others of the same instant."""

    at: datetime
    name: FactName
    channel: Channel | None
    mark: str


def act_of(fact: Fact) -> Act | None:
    """The act that a fact is; None for one that the feed does not show."""
    if fact.name not in ACTS:
        return None
    return Act(
        at=fact.at.astimezone(UTC),
        name=FactName(fact.name),
        channel=_channel_of(fact),
        mark=fact.fact_id[-_MARK:],
    )


def _channel_of(fact: Fact) -> Channel | None:
    body = body_of(fact)
    if isinstance(body, InvitationSent):
        return CHANNEL_OF_MAIL.get(body.kind)
    channel = getattr(body, "channel", None)
    return channel if isinstance(channel, Channel) else None


def newest(acts: Iterable[Act]) -> list[Act]:
    """The last of acts, each once, the newest first."""
    by_time = sorted(set(acts), key=lambda act: (act.at, act.mark), reverse=True)
    return by_time[:ACTS_SHOWN]


def on_a_wall(acts: Iterable[Act]) -> list[Act]:
    """Those that anybody may see, by the minute."""
    return [
        replace(act, at=act.at.replace(second=0, microsecond=0))
        for act in acts
        if act.name not in NOT_ON_WALLS
    ]


def last_acts(facts: Iterable[Fact]) -> list[Act]:
    """The last acts among facts, the newest first."""
    return newest(filter(None, map(act_of, facts)))


# --- as they are stored ---------------------------------------------------------------------------


def packed(acts: Iterable[Act]) -> str:
    """Acts as one text: letters, channel, mark, and the microsecond in base 36."""
    return " ".join(map(_word, acts))


def _word(act: Act) -> str:
    at = _base36((act.at - _EPOCH) // _MICROSECOND)
    return f"{ACTS[act.name]}{_CHANNELS[act.channel]}{act.mark}{at}"


def unpacked(text: str) -> Iterator[Act]:
    """The acts in a text; without those that only a later version knows."""
    for word in text.split():
        name, channel = _NAMES.get(word[:_LETTERS]), word[_LETTERS]
        rest = word[_LETTERS + 1 :]
        if name is None or channel not in _CHANNEL_OF:
            continue
        at = _EPOCH + int(rest[_MARK:], 36) * _MICROSECOND
        yield Act(at=at, name=name, channel=_CHANNEL_OF[channel], mark=rest[:_MARK])


def packed_by_campaign(facts: Iterable[Fact]) -> tuple[str, ...]:
    """The last acts of each campaign among facts, after its name and a colon."""
    of: dict[str, list[Fact]] = {}
    for fact in facts:
        of.setdefault(fact.campaign, []).append(fact)
    acts = {campaign: last_acts(some) for campaign, some in of.items()}
    return tuple(f"{campaign}:{packed(some)}" for campaign, some in acts.items() if some)


def acts_of_campaign(texts: Iterable[str], campaign: str) -> Iterator[Act]:
    """The acts of a campaign in what `packed_by_campaign` gave."""
    for text in texts:
        name, _, acts = text.partition(":")
        if name == campaign:
            yield from unpacked(acts)


def _base36(number: int) -> str:
    figures = ""
    while number:
        number, figure = divmod(number, 36)
        figures = "0123456789abcdefghijklmnopqrstuvwxyz"[figure] + figures
    return figures or "0"
