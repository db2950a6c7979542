"""What a person asks about her own data, a file of it or its erasure, and when a mail leaves.

    request ── mail ─────── pause ───────┬── LEFT_AT_LEAST at least ──┐
       └─ its link is valid ─────────────┼── for `LINK_LASTS` ────────┘
                                         └─ another may leave, whose link ends this one

Anybody may ask with any address; a mail leaves only to who is known, and how often is bounded as
for sign-ins (`mailed_links.py`), but that no use of a link ends a pause: what it does reads the
whole table, so a person who never stops asking must not cost without bound. What becomes of a
confirmed wish: `services/persons`.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.domain.mailed_links import (
    LEFT_AT_LEAST,
    MailedLink,
    is_waiting,
    mailed_after,
    stop_after,
)
from chalicelib.domain.people import Contact, TokenPurpose

LINK_LASTS = timedelta(days=1)
# What was confirmed is done within minutes. If that fails, its message stays in the queue or in the
# dead queue for 28 days at most, and the address is needed until then.
ERASED_WITHIN = timedelta(days=30)
MAILS_A_DAY = 3


class Wish(StrEnum):
    """What somebody asks for. The values are stored and part of the API."""

    EXPORT = "export"
    ERASE = "erase"


PURPOSES = {Wish.EXPORT: TokenPurpose.PRIVACY_FILE, Wish.ERASE: TokenPurpose.PRIVACY_ERASURE}


def wish_of(purpose: TokenPurpose) -> Wish | None:
    """What a token with that purpose is for; None when it is for something else."""
    return next((wish for wish, one in PURPOSES.items() if one is purpose), None)


class PrivacyReason(StrEnum):
    """The outcome of a request. The values are stored."""

    KNOWN = "known"
    NOTHING_KNOWN = "nothing_known"
    LINK_UNUSED = "link_unused"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class PrivacyLink(MailedLink):
    """The link to her data that a person was last mailed, or that none is mailed for some time: one
    for all campaigns of a brand, by the digest of her mailbox under our own key. `wish` is what it
    was asked for.
    """

    brand: str
    digest: str
    wish: Wish | None = None


def packed(document: Mapping[str, Any]) -> str:
    """A document as it is kept: JSON, compressed. What a sponsor of a thousand has takes some 60 KB
    of the 400 that an item may have.
    """
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return b64encode(gzip.compress(content, mtime=0)).decode()


def unpacked(file: str) -> dict[str, Any]:
    """The document in it."""
    document: dict[str, Any] = json.loads(gzip.decompress(b64decode(file)))
    return document


def next_privacy_link(
    brand: str,
    digest: str,
    contact: Contact,
    wish: Wish,
    last: PrivacyLink | None,
    now: datetime,
) -> PrivacyLink:
    """The link that is mailed now, in place of the last one. It ends with what was typed."""
    before = last or _none_mailed(contact.campaign, brand, digest, now)
    link = mailed_after(before, contact.contact_id, MAILS_A_DAY, now)
    waits_until = min(link.waits_until, contact.ends_at - LEFT_AT_LEAST)
    return replace(link, campaign=contact.campaign, wish=wish, waits_until=waits_until)


def stop_of_privacy_mails(
    campaign_id: str, brand: str, digest: str, last: PrivacyLink | None, now: datetime
) -> PrivacyLink:
    """That no link is mailed from now on; the last one ends."""
    return stop_after(last or _none_mailed(campaign_id, brand, digest, now), now)


def _none_mailed(campaign_id: str, brand: str, digest: str, now: datetime) -> PrivacyLink:
    return PrivacyLink(
        campaign=campaign_id, brand=brand, digest=digest, mailed=0, waits_until=now, ends_at=now
    )


def reason_for_no_mail(last: PrivacyLink | None, wish: Wish, now: datetime) -> PrivacyReason | None:
    """Why no other link is mailed now, None when one is. One that is for the file alone keeps
    nobody from an erasure: anybody may have asked for it. One for an erasure gives the file too.
    """
    if last is None or not is_waiting(last, now):
        return None
    if last.is_stop:
        return PrivacyReason.STOPPED
    if wish is Wish.ERASE and last.wish is Wish.EXPORT:
        return None
    return PrivacyReason.LINK_UNUSED
