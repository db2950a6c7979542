"""The quarter, played: what the plan says happens at its time, by the use cases of the product.

    lists once a week ─ people, at any time ─ order files at 21:00 ─ exports at 22:30 ─ what is due
    at 02:10 ─ acknowledgements at 09:30

The client's side is played as its files: lists, codes, orders and acknowledgements are ingested.
"""

from __future__ import annotations

import csv
import gzip
import heapq
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any, Final

import yaml

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.exports import export_name
from chalicelib.domain.files.orders import OrderRow, OrderStatus
from chalicelib.domain.files.receipt import Receipt
from chalicelib.domain.people import Sponsor
from chalicelib.domain.redemptions import Purchase
from chalicelib.domain.vouchers import Voucher, VoucherState, problem_at
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.consents.write import write_consents
from chalicelib.services.errors import GoneError, QuotaError
from chalicelib.services.ingest import Drop, ingest
from chalicelib.services.invitations.invite import Referee, invite, sign_up
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.operations.expire import expire
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.sponsors.sessions import open_session
from chalicelib.services.sponsors.sign_in import request_sign_in
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.export import export_vouchers
from chalicelib.services.vouchers.redeem import redeem
from cli.campaign_file import campaign_of
from cli.hashing.manifest import canaries
from local.demo import lists
from local.demo.orders import order_file
from local.errors import StackError
from local.quarter import CAMPAIGN
from local.quarter.aside import Aside, Letter
from local.quarter.plan import (
    DAYS,
    MAILING_ON,
    SEED,
    Answer,
    Basket,
    By,
    Code,
    Draw,
    Fate,
    Invitee,
    Visit,
)

Act = Callable[[], object]

OWN_CODES: Final = "third-order"
STRANGER: Final = "passer.by@demo.test"
FOREIGN_CODE: Final = "SUMMER-10"
CUSTOMER_ROWS: Final = 20_000
REFUSED_IN: Final = (9, 31)  # the exports of which a till refuses a code
# On AWS both are done many times a day. Here each costs calls, whether there is anything or not.
WORKED_OFF_EVERY, EXPORTED_EVERY = 4, 2  # days
CANCELLED_AFTER: Final = timedelta(days=2)
RETURNED_AFTER: Final = timedelta(days=11)  # when the order was kept already
LATEST_NIGHT, EARLIEST_MORNING = 23, 8  # between which nobody answers or buys
CHANGED: Final[Mapping[str, Any]] = {
    "campaign": CAMPAIGN,
    "title": {
        "fr": "Un trimestre de parrainage chez Maison Demo",
        "en": "A quarter of referrals at Maison Demo",
    },
    "return_window_days": 7,
    "review": {},
}
# What later versions of the campaign change, by the day they come in force: words alone.
RELEASES: Final[Mapping[int, Mapping[str, Any]]] = {
    MAILING_ON: {
        "sponsor_offer": {
            "fr": "Invitez vos proches avant l'été : un bon pour vous, un pour eux.",
            "en": "Invite people you know before summer: a voucher for you, one for them.",
        }
    },
    MAILING_ON + 21: {
        "title": {
            "fr": "Un trimestre de parrainage chez Maison Demo, été compris",
            "en": "A quarter of referrals at Maison Demo, summer included",
        }
    },
}


def campaign_file(first_day: date) -> Campaign:
    """The campaign of the quarter: the demo's, begun on its first day, with vouchers that end
    sooner, codes of the client's own for one template, and a review.
    """
    fields = yaml.safe_load(lists.CAMPAIGN_FILE.read_text(encoding="utf-8"))
    fields |= dict(CHANGED) | {"starts_on": first_day.isoformat()}
    del fields["brand"]["logo"], fields["brand"]["mail_logo"]
    templates = fields["templates"]
    templates["welcome"]["valid_days"] = templates["second-order"]["valid_days"] = 30
    templates[OWN_CODES]["codes"] = "client"
    return campaign_of(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True).encode())


@dataclass(frozen=True)
class Newcomer:
    """A referee who confirmed, and who invited them."""

    referral_id: str
    address: str
    sponsor: str

    def buyer(self, by: By) -> str:
        """The address of who makes an order with their voucher."""
        return {By.REFEREE: self.address, By.SPONSOR: self.sponsor}.get(by, STRANGER)


class Player:
    """Plays the quarter that ends at `until` on a table aside."""

    def __init__(self, aside: Aside, campaign: Campaign, until: datetime) -> None:
        self.aside = aside
        self.ports = aside.ports
        self.campaign = campaign
        self.first_day = campaign.starts_on
        self._until = until
        self._acts: list[tuple[datetime, int, Act]] = []
        self._numbers = count(1)
        self._orders = count(1)
        self._chance = Random(SEED)  # nosec B311
        self._rows: list[OrderRow] = []
        self._customers: list[str] = []  # who became one by an order
        self._sponsors: dict[str, None] = {}  # their ids, in the order of their first visit
        self._answered: set[str] = set()  # mails
        self._acknowledged = 0

    def play(self) -> None:
        """Everything, in the order of time."""
        self._at(0, 1, partial(put_campaign, self.ports, self.campaign))
        released = self.campaign
        for day, changed in RELEASES.items():
            released = released.model_copy(update=changed)
            self._at(day, 5 * 60, partial(put_campaign, self.ports, released))
        for day in range(DAYS + 1):
            self._plan_day(day)
        for visit in Draw(self.first_day.weekday()).visits():
            self._at(visit.day, visit.minute, partial(self._visit, visit))
        while self._acts and self._acts[0][0] <= self._until:
            at, _, act = heapq.heappop(self._acts)
            self.aside.set_clock(at)
            act()
            self.aside.work()
        self.aside.set_clock(self._until)
        expire(self.ports)
        self.aside.work()

    def _plan_day(self, day: int) -> None:
        if day % 7 == 0:
            self._at(day, 3 * 60, self._drop_lists)
        if day == 0:
            self._at(day, 4 * 60, self._drop_codes)
        if day % WORKED_OFF_EVERY == 1:
            self._at(day, 2 * 60 + 10, partial(expire, self.ports))
        if (self.first_day + timedelta(days=day)).day == 1:
            self._at(day, 6 * 60, partial(write_statements, self.ports, self.campaign))
        self._at(day, 9 * 60 + 30, self._acknowledge)
        if day % 7 == 5:
            self._at(day, 18 * 60, self._use_rewards)
        self._at(day, 21 * 60, self._drop_orders)
        if day % EXPORTED_EVERY == 0:
            self._at(day, 22 * 60 + 30, self._export)

    def _at(self, day: int, minute: int, act: Act) -> None:
        midnight = datetime.combine(self.first_day + timedelta(days=day), datetime.min.time())
        self._when((midnight + timedelta(minutes=minute)).replace(tzinfo=self.campaign.zone), act)

    def _when(self, at: datetime, act: Act) -> None:
        heapq.heappush(self._acts, (at, next(self._numbers), act))

    def _awake(self, at: datetime) -> datetime:
        """That time, or the next morning's if it is at night."""
        local = at.astimezone(self.campaign.zone)
        if local.hour >= LATEST_NIGHT or local.hour < EARLIEST_MORNING:
            return at + timedelta(hours=9)
        return at

    # --- people ----------------------------------------------------------------------------------

    def _visit(self, visit: Visit) -> None:
        request_sign_in(self.ports, CAMPAIGN, Address.parse(visit.sponsor))
        self.aside.work()
        letter = self._letter(visit.sponsor, "sign_in")
        _, session = open_session(self.ports, CAMPAIGN, letter.token, visit.name)
        self._sponsors[session.sponsor_id] = None
        referees = [Referee(Address.parse(one.address)) for one in visit.invited]
        invite(self.ports, session, referees, f"{visit.sponsor}-{visit.day}")
        self.aside.work()
        for invitee in visit.invited:
            self._await_answer(invitee, visit.sponsor)
        for hours, invitee in visit.by_link:
            act = partial(self._sign_up, session.sponsor_id, visit.sponsor, invitee)
            self._when(self._awake(self.aside.now + timedelta(hours=hours)), act)

    def _sign_up(self, sponsor_id: str, invited_by: str, invitee: Invitee) -> None:
        sponsor = self.ports.repository.get(Sponsor, sponsor_id=sponsor_id)
        if sponsor is None:
            raise StackError("a sponsor of the quarter is missing")
        referee = Referee(Address.parse(invitee.address))
        try:
            sign_up(self.ports, CAMPAIGN, sponsor.link_code, referee)
        except QuotaError:
            return  # too many sign-ups by this link on one day
        self.aside.work()
        self._await_answer(invitee, invited_by)

    def _await_answer(self, invitee: Invitee, sponsor: str) -> None:
        letter = self.aside.inbox.last(invitee.address, "invitation")
        if letter is None or letter.mail_id in self._answered:
            return  # not eligible: nobody was mailed
        self._answered.add(letter.mail_id)
        now = self.aside.now
        if invitee.answer in {Answer.BOUNCE, Answer.COMPLAIN}:
            self._when(now + timedelta(minutes=1), partial(self._note_event, letter, invitee))
            return
        after = timedelta(hours=invitee.after_hours)
        is_program = after < timedelta(minutes=1)
        at = now + after if is_program else self._awake(now + after)
        self._when(at, partial(self._answer, letter, invitee, sponsor))

    def _note_event(self, letter: Letter, invitee: Invitee) -> None:
        kind = "bounced" if invitee.answer is Answer.BOUNCE else "complained"
        settle_mail(self.ports, MailEvent(kind, letter.mail_id, letter.provider_id))  # type: ignore[arg-type]

    def _answer(self, letter: Letter, invitee: Invitee, sponsor: str) -> None:
        try:
            match invitee.answer:
                case Answer.CONFIRM:
                    self._confirm(letter, invitee, sponsor)
                case Answer.DECLINE:
                    decline(self.ports, letter.token)
                case Answer.UNSUBSCRIBE:
                    unsubscribe(self.ports, letter.objection)
        except GoneError:
            return  # answered too late

    def _confirm(self, letter: Letter, invitee: Invitee, sponsor: str) -> None:
        terms = self.campaign.terms.version
        referral, _ = confirm(self.ports, letter.token, terms, invitee.agrees_to_news)
        newcomer = Newcomer(referral.referral_id, invitee.address, sponsor)
        self._await_basket(newcomer, invitee.baskets)

    # --- orders ----------------------------------------------------------------------------------

    def _await_basket(self, newcomer: Newcomer, baskets: Sequence[Basket]) -> None:
        if baskets:
            at = self._awake(self.aside.now + timedelta(days=baskets[0].after_days))
            self._when(at, partial(self._buy, newcomer, baskets))

    def _buy(self, newcomer: Newcomer, baskets: Sequence[Basket]) -> None:
        basket, later = baskets[0], baskets[1:]
        code = self._code_for(newcomer.referral_id, basket)
        placed = OrderRow(
            order_id=f"Q-{next(self._orders):05}",
            ordered_at=self.aside.now,
            email_digest=lists.digest_of(newcomer.buyer(basket.by)),
            voucher_code=code,
            amount_minor=basket.amount_minor,
            currency="EUR",
            status="placed",
        )
        self._rows.append(placed)
        self._customers.append(newcomer.address)
        if basket.fate is Fate.CANCELLED:
            self._report(placed, "cancelled", CANCELLED_AFTER)
        elif basket.fate is Fate.RETURNED:
            self._report(placed, "returned", RETURNED_AFTER)
        self._await_basket(newcomer, later)

    def _report(self, placed: OrderRow, status: OrderStatus, after: timedelta) -> None:
        row = OrderRow(
            placed.order_id, placed.ordered_at, placed.email_digest, None,
            placed.amount_minor, placed.currency, status,
        )  # fmt: skip
        self._when(self.aside.now + after, lambda: self._rows.append(row))

    def _code_for(self, holder_id: str, basket: Basket) -> str | None:
        if basket.code is Code.NONE:
            return None
        if basket.code is Code.FOREIGN:
            return FOREIGN_CODE
        held = self.ports.repository.held_by(holder_id)
        if basket.code is Code.USED:
            return next((one.code for one in held if one.state is VoucherState.REDEEMED), None)
        good = (
            one.code
            for one in held
            if self._is_usable(one) and one.minimum_basket_minor <= basket.amount_minor
        )
        return next(good, None)

    def _is_usable(self, voucher: Voucher) -> bool:
        mailed = voucher.state is VoucherState.ACKNOWLEDGED
        return mailed and problem_at(voucher, self.aside.now) is None

    def _use_rewards(self) -> None:
        """Sponsors use vouchers at the till, on Saturdays."""
        for sponsor_id in self._sponsors:
            for voucher in self.ports.repository.held_by(sponsor_id):
                if self._is_usable(voucher) and self._chance.random() < 0.3:
                    amount = self._chance.randint(3000, 12000)
                    order_id = f"T-{next(self._orders):05}"
                    purchase = Purchase(
                        order_id=order_id,
                        ordered_at=self.aside.now,
                        amount_minor=amount,
                        currency=voucher.currency,
                    )
                    redeem(self.ports, voucher.code, purchase)

    # --- the client's files ----------------------------------------------------------------------

    def _drop_lists(self) -> None:
        known = [lists.customer_address(number) for number in range(1, lists.CUSTOMERS + 1)]
        vips = [lists.vip_address(number) for number in range(1, lists.VIPS + 1)]
        chance = Random(SEED)  # nosec B311
        others = [chance.randbytes(32).hex() for _ in range(CUSTOMER_ROWS - len(known))]
        digests = map(lists.digest_of, dict.fromkeys([*known, *vips, *self._customers]))
        in_every_list = canaries(lists.demo_key(), lists.CANARIES)
        self._drop_list(ListName.CUSTOMERS, [*digests, *in_every_list, *others])
        self._drop_list(ListName.VIPS, map(lists.digest_of, vips))

    def _drop_list(self, name: ListName, digests: Iterable[str]) -> None:
        content = "\n".join(["digest", *sorted(digests), ""]).encode()
        self._drop(f"{name.value}/full/{self._today}.csv", content)

    def _drop_codes(self) -> None:
        codes = [f"TH{self._chance.randrange(10**10):010}" for _ in range(120)]
        content = "\n".join(["code", *dict.fromkeys(codes), ""]).encode()
        self._drop(f"codes/{OWN_CODES}/first.csv", content)

    def _drop_orders(self) -> None:
        if self._rows:
            rows, self._rows = self._rows, []
            self._drop(f"orders/{self._today}.csv", order_file(rows))

    def _export(self) -> None:
        export_vouchers(self.ports, self.campaign)
        write_changes(self.ports, self.campaign)
        write_consents(self.ports, self.campaign)

    def _acknowledge(self) -> None:
        folder = f"out/{CAMPAIGN}/vouchers/"
        names = {path.removeprefix(folder).partition(".")[0] for path in self._paths(folder)}
        for number in range(self._acknowledged + 1, len(names) + 1):
            self._acknowledged = number
            refused = self._refused(folder, number) if number in REFUSED_IN else ""
            self._drop(f"acks/{export_name(number)}.ack", refused.encode())
            self.aside.work()

    def _refused(self, folder: str, number: int) -> str:
        """A line about one code of an export: the same whatever the codes are."""
        packed = b"".join(self.ports.files.read(f"{folder}{export_name(number)}.csv.gz"))
        rows = csv.DictReader(io.StringIO(gzip.decompress(packed).decode()))
        code = min(rows, key=lambda row: (row["template"], row["holder_digest"]))["code"]
        return f"code,reason\n{code},unknown card type\n"

    def _paths(self, folder: str) -> list[str]:
        return self.aside.files.paths(folder)

    def _drop(self, path: str, content: bytes) -> Receipt:
        key = f"in/{CAMPAIGN}/{path}"
        self.ports.files.write(key, content)
        receipt = ingest(self.ports, Drop(CAMPAIGN, path, self.aside.now))
        if receipt is None or receipt.status != "accepted":
            raise StackError(f"the quarter's {path} was not accepted: {receipt}")
        return receipt

    @property
    def _today(self) -> date:
        return self.campaign.local_date(self.aside.now)

    def _letter(self, address: str, kind: str) -> Letter:
        letter = self.aside.inbox.last(address, kind)
        if letter is None:
            raise StackError(f"a {kind} mail of the quarter is missing")
        return letter
