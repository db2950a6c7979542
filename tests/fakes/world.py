"""A whole Tandem in memory: the ports, what moves facts to the work that follows, and its actors.

`run` does what the stream, the queues and the functions do, in order and without threads; with a
`random.Random` it delivers facts and messages twice, and in any order, as queues may.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from chalicelib.adapters.pgp import SequoiaCipher
from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import Queue, effect_of, funnel, totals
from chalicelib.domain.exports import Export, export_name
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.files.orders import COLUMNS
from chalicelib.domain.files.receipt import Receipt
from chalicelib.domain.journal import GENESIS, JournalHead, verify
from chalicelib.domain.people import Session
from chalicelib.domain.referrals import Referral
from chalicelib.services.campaigns.cached import CachedCampaigns
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.ingest import Drop, ingest, reviewed_drop
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.invitations.invite import Referee, invite
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.mails.draft import Sender
from chalicelib.services.mails.send import send_mail
from chalicelib.services.operations.project import project
from chalicelib.services.operations.reconciliation import write_reconciliations
from chalicelib.services.operations.relay import relay
from chalicelib.services.operations.seal import seal
from chalicelib.services.ports import Ports, Repository
from chalicelib.services.privacy.carry_out import erase_confirmed, make_file
from chalicelib.services.privacy.request import decide_privacy_request
from chalicelib.services.protection import requeue_held
from chalicelib.services.requeue import requeue_undecided
from chalicelib.services.sponsors.sessions import open_session
from chalicelib.services.sponsors.sign_in import decide_sign_in, request_sign_in
from chalicelib.services.vouchers.export import export_vouchers
from chalicelib.services.vouchers.reward import reward
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign, digest
from tests.fakes.due import work_off_all
from tests.fakes.parts import work_off_parts
from tests.fakes.pgp import own_key
from tests.fakes.ports import (
    CountingCodes,
    KnownDomains,
    MemoryBuilder,
    MemoryFiles,
    MemoryKeys,
    MemoryLists,
    MemoryMailer,
    MemoryPages,
    MemoryQueues,
    MemoryWallets,
    SettableClock,
)
from tests.fakes.repository import MemoryRepository, StreamedRepository

SENDER = Sender(address="tandem@demo.test", origin="https://tandem.demo.test")
CUSTOMERS = [f"customer{number}@demo.test" for number in range(1, 4)]
VIPS = [f"vip{number}@demo.test" for number in range(1, 6)]


@dataclass
class World:
    """Everything, and what each actor does."""

    store: Repository = field(default_factory=MemoryRepository)
    clock: SettableClock = field(default_factory=SettableClock)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    roots: MemoryFiles = field(default_factory=MemoryFiles)
    mailer: MemoryMailer = field(default_factory=MemoryMailer)
    mail_domains: KnownDomains = field(default_factory=KnownDomains)
    queues: MemoryQueues = field(default_factory=MemoryQueues)
    projects: bool = True
    # Whether a fact is lost on its way to a consumer of the stream.
    loses: Callable[[str, Fact], bool] = lambda _consumer, _fact: False

    def __post_init__(self) -> None:
        if isinstance(self.store, MemoryRepository):
            self.store.clock = self.clock
        self.files.clock = self.roots.clock = self.clock
        self.repository = StreamedRepository(self.store)
        self.lists = MemoryLists(self.repository, self.clock)
        self.ports = Ports(
            repository=self.repository,
            campaigns=CachedCampaigns(self.repository, self.clock),
            lists=self.lists,
            list_builder=lambda: MemoryBuilder(self.lists),
            cipher=lambda: SequoiaCipher(own_key, self.clock),
            keys=MemoryKeys(),
            mailer=self.mailer,
            mail_domains=self.mail_domains,
            files=self.files,
            roots=self.roots,
            pages=MemoryPages(),
            queues=self.queues,
            clock=self.clock,
            codes=CountingCodes(),
            wallets=MemoryWallets(),
        )
        self._streamed = 0
        self._drops = 0

    @property
    def campaign(self) -> Campaign:
        """The campaign in force."""
        found = self.ports.campaigns.get(CAMPAIGN)
        assert found
        return found

    @property
    def memory(self) -> MemoryRepository:
        """The store, to look into."""
        assert isinstance(self.store, MemoryRepository)
        return self.store

    # --- what AWS does ---------------------------------------------------------------------------

    def run(self, chance: Random | None = None) -> None:
        """Deliver everything until nothing is left; what cannot be done yet stays in its queue."""
        while True:
            fresh = self.repository.stream[self._streamed :]
            self._streamed += len(fresh)
            if fresh:
                self.deliver_stream(fresh, chance)
            if not self._work(chance) and not fresh:
                return

    def deliver_stream(self, facts: list[Fact], chance: Random | None = None) -> None:
        """Facts to the queues, the counts and the journal."""
        for batch in _delivered(facts, chance):
            relay(self.ports, [fact for fact in batch if not self.loses("relay", fact)])
            if self.projects:
                project(self.ports, [fact for fact in batch if not self.loses("project", fact)])

    def _work(self, chance: Random | None) -> bool:
        """Empty the queues once; False when nothing was done."""
        done = bool(work_off_all(self.ports)) or bool(work_off_parts(self.ports))
        for queue in Queue:
            facts, self.queues.waiting[queue] = self.queues.waiting[queue], []
            for batch in _delivered(facts, chance):
                for fact in batch:
                    try:
                        self._handle(queue, fact)
                        done = True
                    except (RetryLaterError, ListUnavailableError):
                        if fact not in self.queues.waiting[queue]:
                            self.queues.waiting[queue].append(fact)
        return done

    def _handle(self, queue: Queue, fact: Fact) -> None:
        if queue in {Queue.MAIL, Queue.REQUESTED_MAIL}:
            send_mail(self.ports, SENDER, fact)
        elif queue is Queue.REWARD:
            reward(self.ports, fact)
        elif queue is Queue.PERSONS:
            erases = fact.name == FactName.ERASURE_CONFIRMED
            (erase_confirmed if erases else make_file)(self.ports, fact)
        elif queue is Queue.INGEST:
            drop = reviewed_drop(self.ports, fact)
            if drop:
                ingest(self.ports, drop)
        elif fact.name == FactName.INVITATIONS_RESUMED:
            requeue_held(self.ports, fact.campaign)
        elif effect_of(fact).requeues_undecided:
            requeue_undecided(self.ports, fact.campaign)
        elif fact.name == FactName.SIGN_IN_REQUESTED:
            decide_sign_in(self.ports, fact)
        elif fact.name == FactName.PRIVACY_REQUESTED:
            decide_privacy_request(self.ports, fact)
        else:
            decide_invitation(self.ports, fact)

    def facts(self, *names: FactName) -> list[Fact]:
        """The facts so far, of some names or all."""
        return [fact for fact in self.repository.stream if not names or fact.name in names]

    # --- the client ------------------------------------------------------------------------------

    def put_file(self, path: str, content: bytes) -> Drop:
        """Put a file under `in/`; returns the drop in S3's event."""
        version = self.files.put(f"in/{CAMPAIGN}/{path}", content)
        self._drops += 1
        return Drop(CAMPAIGN, path, self.clock(), f"{self._drops:016x}", version)

    def drop(self, path: str, content: bytes) -> Receipt:
        """Drop a file under `in/`; its receipt, which may be that of the last of its parts."""
        receipt = ingest(self.ports, self.put_file(path, content)) or work_off_parts(self.ports)
        assert receipt
        return receipt

    def drop_list(self, name: str, addresses: Iterable[str], file: str = "list") -> Receipt:
        """Drop a full list of the digests of some addresses."""
        content = "\n".join(["digest", *map(digest, addresses)]).encode()
        return self.drop(f"{name}/full/{file}.csv", content)

    def order(
        self,
        order_id: str,
        status: str = "placed",
        *,
        of: str | None = None,
        code: str = "",
        amount: str = "80.00",
        **changes: str,
    ) -> dict[str, str]:
        """A row of an order file."""
        return {
            "order_id": order_id,
            "ordered_at": self.clock().isoformat(),
            "email_digest": digest(of) if of else "",
            "voucher_code": code,
            "amount": amount,
            "currency": "EUR",
            "status": status,
        } | changes

    def drop_orders(self, *rows: dict[str, str], file: str = "orders") -> Receipt:
        """Drop an order file."""
        lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]
        return self.drop(f"orders/{file}.csv", "\n".join(lines).encode())

    def export(self) -> Export | None:
        """Run the export of the campaign: the last file, if any was written."""
        return next(reversed(export_vouchers(self.ports, self.campaign)), None)

    def reconciliation(self, ports: Ports | None = None) -> int:
        """How many differences the day's comparison of the table with the files has."""
        [(_, differences)] = write_reconciliations(ports or self.ports, [self.campaign])
        return differences

    def exported(self, number: int) -> list[dict[str, str]]:
        """The rows of an export, from its file."""
        path = f"out/{CAMPAIGN}/vouchers/{export_name(number)}.csv.gz"
        sealed = self.files.content.get(f"{path}.pgp")
        content = self.ports.cipher().decrypt(sealed) if sealed else self.files.content[path]
        names, *rows = [line.split(",") for line in gzip.decompress(content).decode().splitlines()]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def acknowledge(self, number: int, content: bytes = b"") -> Receipt:
        """Drop an acknowledgement."""
        return self.drop(f"acks/{export_name(number)}.ack", content)

    # --- people ----------------------------------------------------------------------------------

    def sponsor(self, address: str = VIPS[0], first_name: str | None = "Anne") -> Session:
        """A VIP signs in."""
        request_sign_in(self.ports, CAMPAIGN, Address.parse(address))
        self.run()
        token = self.mailer.to(address)[-1].tokens[0]
        return open_session(self.ports, CAMPAIGN, token, first_name)[1]

    def invite(
        self,
        session: Session,
        *addresses: str,
        key: str | None = None,
        network: str | None = None,
    ) -> tuple[str, ...]:
        """A sponsor invites by address."""
        referees = [Referee(Address.parse(address)) for address in addresses]
        return invite(self.ports, session, referees, key, network)

    def token_of(self, address: str) -> str:
        """The token in the first mail to a referee."""
        return self.mailer.to(address)[0].tokens[0]

    def confirm(self, address: str, network: str | None = None) -> Referral:
        """A referee confirms."""
        return confirm(self.ports, self.token_of(address), "1", False, network)[0]

    def referral(self, address: str, sponsor: str = VIPS[0]) -> Referral:
        """The whole way to a confirmed referral."""
        self.invite(self.sponsor(sponsor), address)
        self.run()
        referral = self.confirm(address)
        self.run()
        return referral

    # --- what must hold --------------------------------------------------------------------------

    def journal(self) -> list[dict[str, Any]]:
        """The facts in the journal, sealed first, its chain verified up to the head."""
        seal(self.ports)
        segments = {}
        for content in self.files.under(f"out/{CAMPAIGN}/journal/").values():
            lines = content.splitlines()
            segments[json.loads(lines[-1])["hash"]] = lines
        head = self.repository.get(JournalHead, campaign=CAMPAIGN)
        at = head.hash if head else GENESIS
        chained: list[bytes] = []
        while at != GENESIS:
            chained = segments[at] + chained
            at = json.loads(segments[at][0])["previous"]
        assert verify(GENESIS, chained) == (head.hash if head else GENESIS)
        return [json.loads(line)["fact"] for line in chained]

    def funnel(self) -> dict[str, int]:
        """The totals of the dashboard that are not 0."""
        summed = totals(self.repository.counts(CAMPAIGN))
        return {name: value for name, value in funnel(summed).items() if value}


def _delivered(facts: list[Fact], chance: Random | None) -> Iterable[list[Fact]]:
    """The batches a delivery may come in: with `chance`, in any order, some twice."""
    if chance is None:
        return [facts] if facts else []
    repeated = facts + [fact for fact in facts if chance.random() < 0.4]
    chance.shuffle(repeated)
    batches: list[list[Fact]] = []
    for fact in repeated:
        if not batches or chance.random() < 0.5 or fact in batches[-1]:
            batches.append([])
        batches[-1].append(fact)
    return batches


def new_world(
    store: Repository | None = None, clock: SettableClock | None = None, **changes: Any
) -> World:
    """A world with the campaign put and both lists in force."""
    world = World(store=store or MemoryRepository(), clock=clock or SettableClock())
    put_campaign(world.ports, campaign(**changes))
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY])
    world.drop_list("vips", VIPS)
    world.run()
    return world


def wrapped(world: World, wrap: Callable[[Repository], Repository]) -> Ports:
    """The world's ports, with another repository around its own."""
    return replace(world.ports, repository=wrap(world.repository))
