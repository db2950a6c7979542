"""Ten thousand posts of a stranger who knows the campaign, VIPs' addresses and one shared link.

Each goes through the API, and everything behind it works: decisions, mails, counts. She opens no
mail. What leaves is compared with what is stated: by the link at most `sign_ups_per_day` mails a
local day, at most one to a mailbox ever, none to customers or to who has objected; of links to sign
in to a VIP at most five in the first day and one a day after it, of links to somebody's data four
and two; and no word that she typed in any of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from random import Random

from chalicelib.domain.addresses import Address
from chalicelib.domain.mails import PRIVACY_LINK, SIGN_IN
from tests.api.gateway import Request
from tests.api.requests import CONFIRMATION, OF_CAMPAIGN
from tests.api.world import CAMPAIGN, CUSTOMER, OTHER_VIP, VIP, campaign_like_demo, posting
from tests.simulation.stage import Stage, stage

POSTS = 10_000
A_MINUTE = 2
OBJECTOR = "opposed.anne@demo.test"
TYPED = "Bitcoin"  # where a name is asked for: a name by its form
# Links to one person that somebody asked for: in the first day, and in each day after it.
ASKED_FOR = {SIGN_IN: (5, 1), PRIVACY_LINK: (4, 2)}
PEOPLE = 400  # third parties, each with some spellings of one mailbox
VIPS = (VIP, OTHER_VIP)


@dataclass
class Flood:
    """What the posts came to. `broken`: the bounds that did not hold."""

    answers: Counter[int] = field(default_factory=Counter)
    by_day: Counter[date] = field(default_factory=Counter)
    by_mailbox: Counter[str] = field(default_factory=Counter)
    asked_for: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    with_her_words: int = 0
    days: int = 0
    a_day: int = 0  # mails that a link may cause

    @property
    def broken(self) -> Iterator[str]:
        """Each bound that did not hold, in words."""
        yield from (f"{n} mails by one link on {day}" for day, n in self.by_day.items()
                    if n > self.a_day)  # fmt: skip
        yield from (f"{n} mails to one mailbox" for n in self.by_mailbox.values() if n > 1)
        for mailbox in {Address.parse(one).mailbox for one in (CUSTOMER, OBJECTOR)}:
            if self.by_mailbox[mailbox]:
                yield "an invitation to a customer or to who has objected"
        for (kind, _, day), n in self.asked_for.items():
            if n > ASKED_FOR[kind][min(day, 1)]:
                yield f"{n} mails of the kind {kind} to one person on day {day}"
        if self.with_her_words:
            yield f"{self.with_her_words} mails with a stranger's words"


def flood(posts: int = POSTS, seed: int = 1) -> Flood:
    """Play it."""
    with stage(seed) as here:
        link = _prepared(here)
        seen, began = len(here.cloud.network.mails), here.clock()
        found = Flood(a_day=campaign_like_demo().quotas.sign_ups_per_day)
        hers = _posts(Random(seed), link)
        for _ in range(0, posts, A_MINUTE):
            for _ in range(A_MINUTE):
                found.answers[here.ask(next(hers)).status] += 1
            here.run()
            seen = _note(here, found, seen, began)
            here.clock.pass_by(minutes=1)
        found.days = (here.clock() - began).days + 1
        return found


def _prepared(here: Stage) -> str:
    """A sponsor who shares a link, and somebody who has objected; the link's path."""
    session = here.sign_in()
    here.invite(session, OBJECTOR)
    token = here.last_to(OBJECTOR).token("/v1/unsubscribe/")
    assert here.post(f"/v1/unsubscribe/{token}").status == 200
    here.run()
    return f"{OF_CAMPAIGN}/links/{here.link_code(session)}/sign-up"


def _posts(chance: Random, link: str) -> Iterator[Request]:
    """Hers, without an end."""
    while True:
        address = _address(chance)
        name = {"first_name": TYPED} if chance.random() < 0.5 else {}
        token = f"{chance.getrandbits(256):043x}"
        asked = {
            "campaign": CAMPAIGN,
            "email": chance.choice((*VIPS, OBJECTOR, address)),
            "wish": chance.choice(("export", "erase")),
        }
        yield chance.choices(
            (
                posting(link, {"email": address, **name}),
                posting(f"{OF_CAMPAIGN}/sign-in", {"email": chance.choice((*VIPS, address))}),
                posting(f"{OF_CAMPAIGN}/links/{token[:12]}/sign-up", {"email": address}),
                posting(f"{OF_CAMPAIGN}/sessions", {"token": token, "first_name": TYPED}),
                posting(f"/v1/invitations/{token}/confirmation", CONFIRMATION),
                posting(f"/v1/invitations/{token}/decline"),
                posting(f"/v1/unsubscribe/{token}"),
                posting(f"/v1/sign-in-stops/{token}"),
                posting("/v1/privacy/requests", asked),
                posting(f"/v1/privacy/{token}/erasure"),
            ),
            (35, 25, 5, 5, 5, 5, 4, 4, 10, 2),
        )[0]


def _address(chance: Random) -> str:
    """A third party, in one of the spellings of her mailbox."""
    if chance.random() < 0.05:
        return chance.choice((CUSTOMER, OBJECTOR))
    person = chance.randrange(PEOPLE)
    local = f"person.number{person}"
    return chance.choice(
        (
            f"{local}@gmail.com",
            f"{local.replace('.', '')}@gmail.com",
            f"{local}+{chance.randrange(99)}@googlemail.com",
            f"{local.upper()}@Gmail.com",
        )
    )


def _note(here: Stage, found: Flood, seen: int, began: datetime) -> int:
    mails, campaign = here.cloud.network.mails, campaign_like_demo()
    for recipient, raw in mails[seen:]:
        now = here.clock()
        message = message_from_bytes(raw, policy=policy.default)
        kind, mailbox = _kind(message), Address.parse(recipient).mailbox
        if kind in ASKED_FOR:
            found.asked_for[kind, mailbox, (now - began).days] += 1
        else:
            found.by_day[campaign.local_date(now)] += 1
            found.by_mailbox[mailbox] += 1
        found.with_her_words += TYPED in _text(message)
    return len(mails)


def _kind(message: EmailMessage) -> str:
    """The kind of a mail, which its id begins with."""
    return str(message["Message-ID"]).strip("<").rpartition("-")[0]


def _text(message: EmailMessage) -> str:
    """All that a mail says, headers too."""
    headers = " ".join(map(str, message.values()))
    texts = [str(part.get_content()) for part in message.walk() if not part.is_multipart()]
    return " ".join((headers, *texts))
