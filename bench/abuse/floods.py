"""Ten thousand posts of a stranger who knows the campaign, VIPs' addresses and one shared link.

Each goes through the API, and everything behind it works: decisions, mails, counts. She opens no
mail. What leaves is compared with what is stated: by the link at most `sign_ups_per_day` mails a
local day, at most one to a mailbox ever, none to customers or to who has objected; to a VIP at most
five in the first day and one a day after it; and no word that she typed in any of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from email import message_from_bytes, policy
from random import Random

from chalicelib.domain.addresses import Address
from tests.api.gateway import Request
from tests.api.requests import CONFIRMATION, OF_CAMPAIGN
from tests.api.world import CUSTOMER, OTHER_VIP, VIP, campaign_like_demo, posting
from tests.simulation.stage import Stage, stage

POSTS = 10_000
A_MINUTE = 2
OBJECTOR = "opposed.anne@demo.test"
TYPED = "Bitcoin"  # where a name is asked for: a name by its form
FIRST_DAY, LATER_DAYS = 5, 1  # mails to one VIP
PEOPLE = 400  # third parties, each with some spellings of one mailbox
VIPS = (VIP, OTHER_VIP)


@dataclass
class Flood:
    """What the posts came to. `broken`: the bounds that did not hold."""

    answers: Counter[int] = field(default_factory=Counter)
    by_day: Counter[date] = field(default_factory=Counter)
    by_mailbox: Counter[str] = field(default_factory=Counter)
    by_vip: Counter[tuple[str, int]] = field(default_factory=Counter)
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
                yield "a mail to a customer or to who has objected"
        for (_, day), n in self.by_vip.items():
            if n > (LATER_DAYS if day else FIRST_DAY):
                yield f"{n} mails to a VIP on day {day}"
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
            ),
            (40, 30, 5, 5, 5, 5, 5, 5),
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
        if recipient in VIPS:
            found.by_vip[recipient, (now - began).days] += 1
        else:
            found.by_day[campaign.local_date(now)] += 1
            found.by_mailbox[Address.parse(recipient).mailbox] += 1
        found.with_her_words += TYPED in _text(raw)
    return len(mails)


def _text(raw: bytes) -> str:
    """All that a mail says, headers too."""
    message = message_from_bytes(raw, policy=policy.default)
    headers = " ".join(map(str, message.values()))
    texts = [str(part.get_content()) for part in message.walk() if not part.is_multipart()]
    return " ".join((headers, *texts))
