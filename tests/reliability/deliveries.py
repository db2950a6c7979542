"""A storm: a whole programme in which everything is delivered in any order, much of it twice, some
of it twice at the same time, and every third delivery dies at a call, before or after its effect.

The use cases are the real ones, on the table in memory. Deliveries are what AWS hands to a
function, and what pages, the client and schedules ask again until it is answered: facts to relay
and project, messages, SES's events, calls, files, exports. A delivery that dies comes again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from chalicelib.domain.effects import Queue, deltas
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.operations.project import project
from chalicelib.services.operations.relay import relay
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.due import expire, reconcile
from tests.fakes.fuse import Fuse, KilledError
from tests.fakes.indexed import IndexedRepository
from tests.fakes.world import VIPS, World, new_world
from tests.reliability.figures import Figure

FAULTS = 0.3  # of all deliveries
CONTESTED = 0.1  # delivered once more while it is worked on
TWICE = 0.4  # of those that have been done
A_CALL = 20  # referees that a sponsor invites at once
BATCH = 10
# Of those invited some get no mail: the sender was killed at the worst moment, and an invitation is
# never sent twice. So more are invited than are to confirm.
MORE_INVITED = 1.25
EACH_EARNS = ("welcome", "ladder-first", "sponsor-reward")

Work = Callable[[], object]


class _Rival(Fuse):
    """Does something else just before the n-th call, and lets the work go on."""

    def __init__(self, at: int, rival: Work) -> None:
        super().__init__(at, after_the_effect=False)
        self._rival = rival

    def burn(self, call: Callable[[], Any]) -> Any:
        self.left -= 1
        if self.left == 0:
            self._rival()
        return call()


@dataclass
class Storm:
    """See the module. `guards=False` takes the conditions of all commits away."""

    referrals: int
    seed: int = 1
    guards: bool = True
    contested: float = CONTESTED
    deliveries: int = 0
    faults: int = 0
    faults_allowed: bool = True
    _waiting: list[Work] = field(default_factory=list)
    _later: list[Work] = field(default_factory=list)
    _streamed: int = 0
    _reported: int = 0

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)
        store = IndexedRepository()
        store._guards = self.guards
        quotas = {"invitations_per_sponsor": 1_000, "referees_per_call": A_CALL}
        caps = {"sponsor_rewards": self.referrals}
        self.world = new_world(store, quotas=quotas, caps=caps)
        self._whole = self.world.ports
        self._streamed = len(self.world.repository.stream)
        count = int(self.referrals * MORE_INVITED)
        self.invited = [f"referee{number}@example.fr" for number in range(count)]
        self.confirmed: list[str] = []

    def play(self) -> None:
        """The whole programme, then a day in which nothing fails."""
        self._invite()
        self._drain()
        mailed = {mail.recipient for mail in self.world.mailer.sent}
        self.confirmed = [one for one in self.invited if one in mailed][: self.referrals]
        for address in self.confirmed:
            self._put(partial(self.world.confirm, address))
        self._drain()
        self._export_and_acknowledge(1)
        self._order()
        self._export_and_acknowledge(2)
        self._settle()

    # --- what is asked for -----------------------------------------------------------------------

    def _invite(self) -> None:
        sessions = [self.world.sponsor(vip) for vip in VIPS]
        self._streamed = len(self.world.repository.stream)
        for number, start in enumerate(range(0, len(self.invited), A_CALL)):
            addresses = self.invited[start : start + A_CALL]
            session = sessions[number % len(sessions)]
            key = f"key-{number}"
            self._put(partial(self.world.invite, session, *addresses, key=key))

    def _order(self) -> None:
        """Every order kept, in files that overlap."""
        self.world.clock.advance(days=1)
        rows = [
            self.world.order(f"A{number}", "kept", of=address)
            for number, address in enumerate(self.confirmed)
        ]
        for number, start in enumerate(range(0, len(rows), 250)):
            some = rows[max(0, start - 25) : start + 250]
            self._chance.shuffle(some)
            self._put(partial(self.world.drop_orders, *some, file=f"orders{number}"))
        self._drain()

    def _export_and_acknowledge(self, number: int) -> None:
        self.world.clock.advance(minutes=5)
        self._put(self.world.export)
        self._drain()
        self._put(partial(self.world.acknowledge, number))
        self._drain()

    def _settle(self) -> None:
        """A day of schedules in which nothing fails."""
        self.faults_allowed = False
        for _ in range(26):
            self.world.clock.advance(hours=1)
            expire(self.world.ports)
            self.world.export()
            reconcile(self.world.ports)
            check_facts(self.world.ports)
            self._drain()

    # --- deliveries ------------------------------------------------------------------------------

    def _put(self, work: Work) -> None:
        self._waiting.append(work)

    def _drain(self) -> None:
        """Deliver until nothing is left; what has to wait for another delivery gets time."""
        while self._collect() or self._waiting or self._later:
            if not self._waiting:
                self.world.clock.advance(minutes=6)
                self._waiting, self._later = self._later, []
            self._chance.shuffle(self._waiting)
            these, self._waiting = self._waiting, []
            for work in these:
                self._deliver(work)

    def _deliver(self, work: Work, *, is_rival: bool = False) -> None:
        self.deliveries += 1
        fuse = self._fuse(work) if self.faults_allowed and not is_rival else None
        before = self.world.ports
        try:
            self.world.ports = fuse.on(self._whole) if fuse else self._whole
            work()
            if fuse and fuse.left > 0 and not isinstance(fuse, _Rival):
                raise KilledError  # it lived longer than the fuse: its answer is lost
        except KilledError:
            self.faults += 1
            self._waiting.append(work)
        except (RetryLaterError, ListUnavailableError):
            self._later.append(work)
        else:
            if self.faults_allowed and not is_rival and self._chance.random() < TWICE:
                self._waiting.append(work)
        finally:
            self.world.ports = before

    def _fuse(self, work: Work) -> Fuse | None:
        """What happens to a delivery at one of its calls, if anything."""
        at, what = self._chance.randint(1, 8), self._chance.random()
        if what < FAULTS:
            return Fuse(at, after_the_effect=self._chance.random() < 0.5)
        if what < FAULTS + self.contested:
            return _Rival(at, lambda: self._deliver(work, is_rival=True))
        return None

    def _collect(self) -> bool:
        """What is new in the stream, in the queues and of SES."""
        before = len(self._waiting)
        stream = self.world.repository.stream
        fresh, self._streamed = stream[self._streamed :], len(stream)
        for batch in self._batches(fresh):
            self._put(partial(self._relay, batch))
            self._put(partial(self._project, batch))
        for queue in Queue:
            facts, self.world.queues.waiting[queue] = self.world.queues.waiting[queue], []
            for fact in facts:
                self._put(partial(self._handle, queue, fact))
        sent = self.world.mailer.sent
        for mail in sent[self._reported :]:
            event = MailEvent("sent", mail.mail_id, f"ses-{mail.mail_id}")
            self._put(partial(self._report, event))
        self._reported = len(sent)
        return len(self._waiting) > before

    # Each finds the ports that it is to work with when it is delivered.

    def _relay(self, batch: list[Fact]) -> None:
        relay(self.world.ports, batch)

    def _project(self, batch: list[Fact]) -> None:
        project(self.world.ports, batch)

    def _report(self, event: MailEvent) -> None:
        settle_mail(self.world.ports, event)

    def _handle(self, queue: Queue, fact: Fact) -> None:
        self.world._handle(queue, fact)

    def _batches(self, facts: list[Fact]) -> Iterator[list[Fact]]:
        for start in range(0, len(facts), BATCH):
            # Some of the batch before come again with it, as after a call that failed.
            again = self._chance.choice((0, 0, 3))
            yield facts[max(0, start - again) : start + BATCH]


# --- what must not be -----------------------------------------------------------------------------


def doubles(storm: Storm) -> Iterator[str]:
    """Done twice: an invitation mail, a voucher, a row of a file, a line of the journal."""
    mails = Counter(mail.mail_id for mail in storm.world.mailer.sent)
    # Of vouchers' mails a second one is allowed: whether the first left was not known.
    yield from (f"mail {one}" for one, n in mails.items() if n > 1 and one.startswith("inv"))
    for what, counted in (
        ("voucher", _places(storm.world)),
        ("row", Counter(_exported(storm.world))),
        ("line", Counter(line["fact_id"] for line in storm.world.journal())),
        ("referral", Counter(one.referee_digest for one in storm.world.memory.all(Referral))),
    ):
        yield from (f"{what} {one}" for one, n in counted.items() if n > 1)


def losses(storm: Storm) -> Iterator[str]:
    """Neither done nor named."""
    world = storm.world
    mailed = {mail.recipient for mail in world.mailer.sent}
    named = sum(one.state is MailState.FAILED for one in world.memory.all(Mail))
    silent = [one for one in storm.invited if one not in mailed]
    if len(silent) != named:
        yield f"{len(silent)} got no invitation, {named} are named"
    referrals = world.memory.all(Referral)
    yield from ["referral"] * (len(storm.confirmed) - len(referrals))
    places = _places(world)
    for referral in referrals:
        yield from (
            f"{rule} of {referral.referral_id}"
            for rule in EACH_EARNS
            if not any(places[referral.referral_id, rule, rung] for rung in (0, 1))
        )
    rows = set(_exported(world))
    mails = {mail.mail_id for mail in world.mailer.sent}
    for voucher in world.memory.all(Voucher):
        if voucher.voucher_id not in rows:
            yield f"row of {voucher.voucher_id}"
        if f"voucher-{voucher.voucher_id}" not in mails:
            yield f"mail of {voucher.voucher_id}"
    journaled = {line["fact_id"] for line in world.journal()}
    yield from (f"line {one.name}" for one in world.facts() if one.fact_id not in journaled)


def errors(storm: Storm) -> Iterator[str]:
    """Not as it should be: a count, a state, a reward without a voucher."""
    world = storm.world
    facts = [one for one in world.facts() if one.campaign == CAMPAIGN]
    if world.repository.counts(CAMPAIGN) != deltas(world.campaign, facts):
        yield "counts"
    yield from (
        f"{one.state} {one.voucher_id}"
        for one in world.memory.all(Voucher)
        if one.state is not VoucherState.ACKNOWLEDGED
    )
    confirmed = [
        one for one in world.memory.all(Invitation) if one.state is InvitationState.CONFIRMED
    ]
    if len(confirmed) != len(storm.confirmed):
        yield f"{len(confirmed)} invitations are confirmed"
    granted = Counter(
        (one.referral_id, one.rule, one.rung) for one in world.memory.all(Reward) if one.code_key
    )
    if granted != _places(world):
        yield "rewards and vouchers"


def _places(world: World) -> Counter[tuple[str, str, int]]:
    vouchers = world.memory.all(Voucher)
    return Counter((one.referral_id, one.rule, one.rung) for one in vouchers)


def _exported(world: World) -> Iterator[str]:
    files = world.files.under(f"out/{CAMPAIGN}/vouchers/")
    for number in range(1, len(files) // 2 + 1):
        yield from (row["voucher"] for row in world.exported(number))


def deliveries(referrals: int = 1_000, seed: int = 1) -> Figure:
    """The storm, and what it has left."""
    storm = Storm(referrals, seed)
    storm.play()
    found = {"double": [*doubles(storm)], "lost": [*losses(storm)], "wrong": [*errors(storm)]}
    return Figure(
        "deliveries, duplicated and reordered",
        {"deliveries": storm.deliveries, "faults": storm.faults, "referrals": referrals},
        {name: len(texts) for name, texts in found.items()},
        [text for texts in found.values() for text in texts[:20]],
    )
