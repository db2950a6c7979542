"""Consents: a person's word that a brand may write to her, and her word that it may not.

An item has the latest of both words under one digest: the person's own, under our own key (the
mailbox), or what the client reported of a digest of its. Words may come in any order, and a person
may have several digests: of all of them the later word wins, and a withdrawal wins over a consent
of the same moment. The client reads each word given to us in `out/…/consents/`; one that waits for
its file is a `ConsentChange`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from zlib import crc32

from chalicelib.domain.addresses import OWN_KEY_IDS, AddressDigests
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import WaitingRow

# The version of the text beside the box (`offer.consent` in texts/*/pages.po): every version and
# its text are in docs/client-guide.md.
WORDING = "1"

# A partition takes 1,000 write units a second; a word that waits is four, with its fact.
SHARDS = tuple(f"#{digit:x}" for digit in range(16))  # 2,000 people who confirm a second


class ConsentState(StrEnum):
    """What a word says. The values are published."""

    GIVEN = "given"
    WITHDRAWAL = "withdrawn"


class ConsentSource(StrEnum):
    """Where a word was given. The values are published."""

    CONFIRMATION = "confirmation"
    """the box beside the confirmation of an invitation"""
    PAGE = "page"
    """the referee's page"""
    UNSUBSCRIBE = "unsubscribe"
    """the link or the header of a mail"""
    COMPLAINT = "complaint"
    """a mail was reported as spam"""
    ERASURE = "erasure"
    """the person asked to be forgotten"""
    CLIENT = "client"
    """a file of the client's"""


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word: that of `state`, at a moment. `wording` and `terms_version` are those of the texts
    that were agreed to, empty where none was shown here.
    """

    state: ConsentState
    at: datetime
    source: ConsentSource
    wording: str = ""
    terms_version: str = ""


@dataclass(frozen=True, kw_only=True)
class Consent(Entity):
    """The latest words about one brand under one digest.

    `agreed` are the referrals with which she agreed here, by their campaigns: in the files of each
    the client reads that she did, so it reads there too that she does not any more.
    """

    brand: str
    digest: str
    consent_id: str
    campaign: str
    given: Word | None = None
    withdrawal: Word | None = None
    agreed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ConsentChange(WaitingRow):
    """A word given to us that no consents file has yet. `position` orders those of a campaign.

    One given by a mail of another campaign has no `digest`, but the referral with which she agreed
    in this one: it gets the digest of that referee when it is written.
    """

    digest: str
    state: ConsentState
    at: datetime
    wording: str
    source: ConsentSource
    referral_id: str = ""


def own_digest(digests: AddressDigests) -> str:
    """The digest that a person's own word is kept under: of her mailbox, under our own key."""
    own = [pair for pair in digests.pairs if pair.key_id in OWN_KEY_IDS]
    return (own or digests.pairs)[0].canonical


def client_digest(digests: AddressDigests, key_id: str) -> str:
    """The digest that the client knows a person by today: under its first key, if there is one."""
    known = (pair.exact for pair in digests.pairs if pair.key_id == key_id)
    return next(known, None) or digests.for_client


def with_word(consent: Consent, word: Word) -> Consent:
    """The consent, with one more word: the same one where the word that counts is known already."""
    known = latest_word([consent])
    if known and _rank(known) >= _rank(word):
        return consent
    if word.state is ConsentState.GIVEN:
        return replace(consent, given=word)
    return replace(consent, withdrawal=word)


def latest_word(consents: Iterable[Consent]) -> Word | None:
    """The word that counts, of all that are known of a person; None when none is."""
    words = [word for one in consents for word in (one.given, one.withdrawal) if word]
    return max(words, key=_rank, default=None)


def ends_in_withdrawal(consents: Iterable[Consent]) -> bool:
    """Whether the word that counts is a withdrawal."""
    word = latest_word(consents)
    return word is not None and word.state is ConsentState.WITHDRAWAL


def is_given_here(consent: Consent) -> bool:
    """Whether she agreed here; the client may have sent the same word back to us, later."""
    given = consent.given
    return given is not None and given.source is not ConsentSource.CLIENT


def _rank(word: Word) -> tuple[datetime, bool]:
    return word.at, word.state is ConsentState.WITHDRAWAL


def change_of(
    consent: Consent, word: Word, campaign: str, *, digest: str = "", referral_id: str = ""
) -> ConsentChange:
    """The word, for the client; without a `digest` she is the referee of the referral."""
    moment = word.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return ConsentChange(
        campaign=campaign,
        shard=SHARDS[crc32(consent.consent_id.encode()) % len(SHARDS)],
        position=f"{moment}#{consent.consent_id}#{word.state}",
        digest=digest,
        state=word.state,
        at=word.at,
        wording=word.wording,
        source=word.source,
        referral_id=referral_id,
    )
