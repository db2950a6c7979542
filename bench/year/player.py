"""The year, day by day: everything that people, the retailer and the schedules do, in its time.

    03:05 lists ─ 04:00 reports ─ 05:00 reconcile ─ people and tills ─ order files ─ 23:30 exports

Every use case is the one that the function of that name calls. Queues and streams deliver twice and
in any order. The sequence of a day's reports is chance of its own (`sequence`): nothing that people
do depends on it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message
from functools import partial
from random import Random

from bench.year.cast import Cast, Invitee, Purchase
from bench.year.programme import (
    DAYS,
    EXPIRE_AT,
    FIRST_DAY,
    OWN_CODES,
    RENAMED_ON,
    SPONSOR_CAP,
    Programme,
    local,
)
from bench.year.retailer import (
    FILES_AT,
    REPORTED_WITHIN,
    BackOffice,
    ListKeeper,
    Loader,
    Row,
    ordered_at,
)
from chalicelib.domain.addresses import Address
from chalicelib.domain.files.orders import COLUMNS, OrderRow, parse_order
from chalicelib.domain.redemptions import purchase_of
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, VoucherState, awaits_replacement, is_live
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import GoneError, RefusedError
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.operations.report import report
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.orders.record_many import record_reported_orders
from chalicelib.services.spare_codes import count_spare_codes
from chalicelib.services.sponsors.sessions import open_session
from chalicelib.services.sponsors.sign_in import request_sign_in
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.redeem import redeem, roll_back
from chalicelib.services.vouchers.replace_refused import refused_vouchers, replace_refused
from tests.fakes.campaign import CAMPAIGN, digest
from tests.fakes.due import expire, reconcile
from tests.fakes.indexed import IndexedRepository
from tests.fakes.ports import MemoryMailer, SentMail
from tests.fakes.world import World

OUT = f"out/{CAMPAIGN}/"
_CODE = re.compile(r"^  ([A-Z0-9-]{8,40})\r?$", re.MULTILINE)
_ANY_TIME = ("large-basket", "sorry", "again", "thank-you", "thanks-twice")
Act = Callable[[], None]


class Inbox(MemoryMailer):
    """Keeps mails by recipient, and parses only those that somebody reads."""

    def __init__(self) -> None:
        super().__init__()
        self._raw: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        self.codes: list[tuple[str, bytes]] = []  # of vouchers, not read yet

    def send(self, message: bytes, *, recipient: str, mail_id: str) -> str:
        self._raw[recipient].append((mail_id, message))
        if mail_id.startswith("voucher-"):
            self.codes.append((recipient, message))
        return f"ses-{mail_id}"

    def to(self, recipient: str) -> list[SentMail]:
        raise NotImplementedError("the year reads tokens and codes alone")

    def token(self, recipient: str, kind: str) -> str | None:
        """The token in the last mail of a kind to somebody."""
        for mail_id, message in reversed(self._raw[recipient]):
            if mail_id.startswith(kind):
                found = re.search(r"#token=([\w-]+)", text_of(message))
                return found[1] if found else None
        return None


def text_of(message: bytes) -> str:
    """What a mail says, as plain text."""
    parsed: Message = message_from_bytes(message)
    part = next(one for one in parsed.walk() if one.get_content_type() == "text/plain")
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


@dataclass
class Year:
    """One year, as far as it is played."""

    cast: Cast
    programme: Programme
    sequence: int = 0
    last_day: int = DAYS  # people do nothing from this day on; their orders are still reported
    counts: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inbox = Inbox()
        self.world = World(store=IndexedRepository(), mailer=self.inbox)
        self.office = BackOffice(self.cast)
        self.keeper = ListKeeper(self.cast)
        self.loader = Loader(self.cast)
        self.deliveries = Random(f"deliveries {self.sequence}")
        self.wallets: dict[str, list[str]] = defaultdict(list)
        self.addresses: dict[str, str] = {}  # of referees, by referral
        self.sponsor_of: dict[str, str] = {}  # their addresses, by referral
        self.confirmed_at: dict[str, datetime] = {}
        self.sponsors: dict[str, str] = {}  # addresses, by the sponsor's id
        self.at_month_ends: dict[str, dict[str, int]] = {}
        self.used: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.answers: dict[int, list[Invitee]] = defaultdict(list)
        self.rollbacks: dict[int, list[tuple[str, str]]] = defaultdict(list)
        self.out_of_codes = 0
        self._recent: list[Row] = []

    # --- the days ----------------------------------------------------------------------------

    def begin(self) -> None:
        """The campaign is put, and the first lists come."""
        self.world.clock.now = local(0, 1)
        put_campaign(self.world.ports, self.programme.file(1))

    def play(self, day: int) -> None:
        """Everything of one day, in the order of its minutes."""
        self._note_month_end(day)
        for minute, act in sorted(self._acts(day), key=lambda one: one[0]):
            self.world.clock.now = max(self.world.clock(), local(day, minute))
            act()
            self.world.run(self.deliveries)
        self._read_mails()

    def _note_month_end(self, day: int) -> None:
        """What is outstanding in the table at the last instant of a month."""
        today = FIRST_DAY + timedelta(days=day)
        if day and today.day == 1:
            left: Counter[str] = Counter()
            for voucher in self.world.memory.all(Voucher):
                if is_live(voucher) and not awaits_replacement(voucher):
                    left[voucher.template] += voucher.value_minor
            self.at_month_ends[(today - timedelta(days=1)).strftime("%Y-%m")] = dict(left)

    def _acts(self, day: int) -> Iterable[tuple[float, Act]]:
        if FIRST_DAY.toordinal() + day == RENAMED_ON.toordinal():
            yield 0, self._put_later_version
        yield 3 * 60 + 5, partial(self._drop_lists, day)
        yield 4 * 60, self._report
        yield 5 * 60, self._reconcile
        yield from ((minute, self._expire) for minute in EXPIRE_AT)
        yield 9 * 60, partial(self._refill, day)
        yield 10 * 60, partial(self._acknowledge, day)
        if day < self.last_day:
            yield from self._people(day)
            yield from self._purchases(day)
        yield from self._order_files(day)
        yield from self._rollbacks(day)
        yield from ((minute, self._export) for minute in (150, 12 * 60 + 30, 23 * 60 + 30))
        yield (
            23 * 60 + 40,
            lambda: self.loader.load(self.world.files.content, f"{OUT}vouchers/", day + 1),
        )

    def _put_later_version(self) -> None:
        put_campaign(self.world.ports, self.programme.file(2))
        self.world.clock.advance(seconds=10)  # every function reads it by then

    # --- people ------------------------------------------------------------------------------

    def _people(self, day: int) -> Iterable[tuple[float, Act]]:
        invited: dict[str, list[Invitee]] = defaultdict(list)
        for invitee in self._invited_on(day):
            invited[invitee.sponsor].append(invitee)
            self.answers[day + invitee.answer_after].append(invitee)
        for number, (sponsor, invitees) in enumerate(sorted(invited.items())):
            yield 500 + number / 10, partial(self._invite, sponsor, invitees)
        for number, invitee in enumerate(self.answers.pop(day, [])):
            # Before the day's first file: an order that is reported before leaves no trace.
            yield 5 * 60 + 30 + number / 10, partial(self._answer, invitee)

    def _invited_on(self, day: int) -> list[Invitee]:
        return [one for one in self.cast.invitees if one.day == day]

    def _invite(self, sponsor: str, invitees: list[Invitee]) -> None:
        request_sign_in(self.world.ports, CAMPAIGN, Address.parse(sponsor))
        self.world.run(self.deliveries)
        token = self.inbox.token(sponsor, "sign")
        assert token
        _, session = open_session(self.world.ports, CAMPAIGN, token, "Anne")
        self.sponsors[session.sponsor_id] = sponsor
        self.world.invite(session, *dict.fromkeys(one.address for one in invitees))
        self.counts["invited"] += len(invitees)

    def _answer(self, invitee: Invitee) -> None:
        token = self.inbox.token(invitee.address, "invitation")
        if token is None or invitee.answer == "ignore":
            return
        try:
            if invitee.answer == "decline":
                decline(self.world.ports, token)
                return
            referral, _ = confirm(self.world.ports, token, "1", marketing_consent=False)[:2]
        except GoneError:
            self.counts["too late"] += 1
            return
        if referral.referral_id not in self.addresses:
            self.confirmed_at[referral.referral_id] = self.world.clock()
        self.addresses[referral.referral_id] = invitee.address
        self.sponsor_of[referral.referral_id] = self.sponsors[referral.sponsor_id]
        self.counts["confirmed"] = len(self.addresses)

    def _read_mails(self) -> None:
        for recipient, message in self.inbox.codes:
            found = _CODE.search(text_of(message))
            assert found, text_of(message)
            self.wallets[recipient].append(found[1])
        self.inbox.codes.clear()

    # --- tills -------------------------------------------------------------------------------

    def _purchases(self, day: int) -> Iterable[tuple[float, Act]]:
        for purchase in self.cast.purchases.get(day, []):
            yield max(1, purchase.minute), partial(self._buy, purchase)

    def _rollbacks(self, day: int) -> Iterable[tuple[float, Act]]:
        for code, order_id in self.rollbacks.pop(day, []):
            yield 15 * 60, partial(self._roll_back, code, order_id)

    def _buy(self, purchase: Purchase) -> None:
        self.counts["orders"] += 1
        code = self._code_for(purchase)
        at = ordered_at(purchase)
        self.keeper.bought(purchase.buyer, purchase.day)
        self.office.note(purchase, code, at)
        if code:
            self.counts["codes used"] += 1
            self.used[code].append((purchase.day, purchase.order_id))
        if code and purchase.report == "call":
            self._redeem(purchase, code)

    def _code_for(self, purchase: Purchase) -> str:
        """The code in the holder's wallet that is used: of the template they mean, or another."""
        if purchase.template is None:
            return ""
        free = [code for code in self.wallets[purchase.holder] if self._may_try(code, purchase)]
        free.sort(key=lambda code: self._identity(code))
        by_template = [(self.loader.rows[code]["template"], code) for code in free]
        meant = [code for template, code in by_template if template == purchase.template]
        # What rules ask for, or runs out, is used by those alone who mean to.
        others = [code for template, code in by_template if template in _ANY_TIME]
        if purchase.template in _ANY_TIME:
            meant += others
        return next(iter(meant), "")

    def _may_try(self, code: str, purchase: Purchase) -> bool:
        """Mostly people use a code once; some try again, long after the first order is reported."""
        days = [day for day, _ in self.used[code]]
        if not days:
            return True
        is_later = purchase.day - days[-1] > REPORTED_WITHIN
        share = 0.3 / len(days)
        return is_later and self.cast.chance.happens(share, "again", purchase.order_id)

    def _identity(self, code: str) -> tuple[str, ...]:
        """What a voucher is, whatever its code: the same in every sequence of reports."""
        row = self.loader.rows[code]
        return row["template"], self.addresses[row["referral"]], row["issued_at"][:10]

    def _redeem(self, purchase: Purchase, code: str) -> None:
        row = parse_order(
            self.office.row_of(purchase, ordered_at(purchase), "placed", code=code)
            | {"voucher_code": code}
        )
        assert isinstance(row, OrderRow)
        self.counts["redemption calls"] += 1
        try:
            for _ in range(self.cast.chance.between(1, 2, "repeats", purchase.order_id)):
                redeem(self.world.ports, code, purchase_of(row))
        except RefusedError:
            self.counts["redemptions refused"] += 1
        if self.cast.chance.happens(0.25, "rolls back", purchase.order_id):
            day = purchase.day + self.cast.chance.between(1, 40, "rollback", purchase.order_id)
            self.rollbacks[day].append((code, purchase.order_id))

    def _roll_back(self, code: str, order_id: str) -> None:
        self.counts["rollback calls"] += 1
        try:
            for _ in range(2):
                roll_back(self.world.ports, code, order_id)
        except RefusedError:
            self.counts["rollbacks refused"] += 1

    # --- the back office ---------------------------------------------------------------------

    def _order_files(self, day: int) -> Iterable[tuple[float, Act]]:
        """The day's rows in three files, in the sequence of this play."""
        chance = Random(f"reports {self.sequence} {day}")
        for minute in FILES_AT:
            yield minute, partial(self._drop_orders, day, minute, chance)

    def _drop_orders(self, day: int, minute: int, chance: Random) -> None:
        rows = self.office.due[day]
        chance.shuffle(rows)
        is_last = minute == FILES_AT[-1]
        share = len(rows) if is_last else len(rows) // 3
        now, self.office.due[day] = rows[:share], rows[share:]
        if is_last:
            del self.office.due[day]
        called = [row for row in now if self.cast.chance.happens(0.08, "by call", row["order_id"])]
        in_file = [row for row in now if row not in called]
        # Files overlap: some rows of the last days are in this one too.
        in_file += [row for row in self._recent if chance.random() < 0.1]
        self._recent = [*self._recent, *now][-40:]
        self._drop_file(in_file, f"{day}-{minute}")
        if chance.random() < 0.1:
            self._drop_file(in_file, f"renamed-{day}-{minute}")
        self._report_by_call(called)

    def _drop_file(self, rows: list[Row], name: str) -> None:
        lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]
        receipt = self.world.drop(f"orders/{name}.csv", "\n".join(lines).encode())
        self._note_receipt(len(rows), receipt.accepted, receipt.errors)
        self.office.delivers(self.world.clock(), rows)

    def _note_receipt(self, rows: int, accepted: int, errors: Iterable[object]) -> None:
        self.counts["order rows"] += rows
        self.counts["order rows refused"] += rows - accepted
        for error in errors:
            self.counts[f"row {getattr(error, 'reason', '')}"] += 1

    def _report_by_call(self, rows: list[Row]) -> None:
        parsed = [row for row in map(parse_order, rows) if isinstance(row, OrderRow)]
        assert len(parsed) == len(rows)
        outcomes = list(record_reported_orders(self.world.ports, [self.world.campaign], parsed))
        assert None not in outcomes
        self.counts["order rows by call"] += len(rows)
        self.office.delivers(self.world.clock(), rows)

    # --- lists, codes, acknowledgements ------------------------------------------------------

    def _drop_lists(self, day: int) -> None:
        if day % 30 == 0:
            receipt = self.world.drop_list("vips", self.cast.sponsors, f"vips-{day}")
            assert receipt.status == "accepted", receipt
        drop = self.keeper.file_of(day)
        if drop is None:
            return
        mode, addresses, is_good = drop
        content = "\n".join(["digest", *map(digest, addresses)]).encode()
        receipt = self.world.drop(f"customers/{mode}/{day}.csv", content)
        assert (receipt.status == "accepted") is is_good, receipt
        self.counts["lists"] += 1
        if is_good:
            self.keeper.accepted(self.world.clock())

    def _refill(self, day: int) -> None:
        """Own codes come in small files, some days after the last one was used."""
        left = count_spare_codes(self.world.ports, CAMPAIGN, OWN_CODES, 40)
        self.out_of_codes = 0 if left else self.out_of_codes + 1
        is_month_end = self.world.campaign.local_date(self.world.clock()).day >= 28
        if left < 40 and (is_month_end or self.out_of_codes > 4 or day == 0):
            self.counts["own code files"] += 1
            codes = "\n".join(f"SHOP-{day:04}-{number:04}" for number in range(60))
            receipt = self.world.drop(f"codes/{OWN_CODES}/{day}.csv", f"code\n{codes}".encode())
            assert receipt.status == "accepted", receipt
        self.counts["days without own codes"] += self.out_of_codes > 1

    def _acknowledge(self, day: int) -> None:
        folder = f"{OUT}vouchers/"
        for number in self.loader.answers.pop(day, []):
            content = self.loader.answer(self.world.files.content, folder, number)
            if self.cast.chance.happens(0.05, "bad ack", number):
                bad = self.world.acknowledge(number, b"WE-MISSP-ELLED-2222")
                assert bad.status == "refused"
            for _ in range(self.cast.chance.between(1, 2, "acks", number)):
                receipt = self.world.acknowledge(number, content)
                self.counts["codes refused"] += receipt.effects.get("refused", 0)
                assert receipt.status == "accepted", receipt
        if day % 7 == 3:
            for voucher in refused_vouchers(self.world.ports, CAMPAIGN):
                replace_refused(self.world.ports, self.world.campaign, voucher.code_key, by="ops")

    # --- schedules ---------------------------------------------------------------------------

    def _export(self) -> None:
        self.world.export()
        write_changes(self.world.ports, self.world.campaign)

    def _expire(self) -> None:
        for name, number in expire(self.world.ports).items():
            self.counts[f"{name} ended"] += number

    def _reconcile(self) -> None:
        found = reconcile(self.world.ports)
        for name in ("undecided", "leased", "unexported"):
            if found[name]:
                self._differs(f"reconcile found {found[name]} {name}")

    def _report(self) -> None:
        report(self.world.ports, self.world.campaign)
        found = self.world.reconciliation()
        if found:
            self._differs(f"the reconciliation has {found} rows")
        written = write_statements(self.world.ports, self.world.campaign)
        self.counts["statements"] += len(written)

    def _differs(self, what: str) -> None:
        day = self.world.campaign.local_date(self.world.clock())
        self.differences.append(f"{day}: {what}")

    @property
    def vouchers_issued(self) -> int:
        """How many vouchers there are."""
        return len(self.world.memory.all(Voucher))

    def has_reached_a_cap(self, referral_id: str) -> bool:
        """Whether the sponsor of a referral has as many rewards as one may have."""
        referral = self.world.repository.get(Referral, referral_id=referral_id)
        assert referral
        held = self.world.repository.held_by(referral.sponsor_id)
        return sum(one.state is not VoucherState.REVOKED for one in held) >= SPONSOR_CAP
