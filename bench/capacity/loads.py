"""The stories that are recorded: each plays the real code on a sample, as small as it may be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from bench.capacity.scene import STREAM_BATCH, Scene, scene, strangers
from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.fact_bodies import InvitationReceived
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.orders import COLUMNS
from chalicelib.domain.invitations import Channel
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.numbered_files import Series
from chalicelib.services.requeue import requeue_undecided
from tests import functions
from tests.api.world import CAMPAIGN, KEY, campaign_like_demo
from tests.simulation.wire import Call

SPONSORS = 8
PEOPLE = strangers(32)
NEW_KEY = "demo2"
PART = Series.part_rows


@contextmanager
def story() -> Iterator[Scene]:
    """Thirty-two people are invited, decided on, mailed, confirm, get a voucher; all is counted."""
    with scene(SPONSORS) as here:
        _invited(here)
        here.work_off()
        here.confirm_all(PEOPLE)
        here.work_off()
        here.count_facts()
        yield here


def _invited(here: Scene) -> None:
    for number, address in enumerate(PEOPLE):
        here.invite(number % SPONSORS, address)


@contextmanager
def own_codes() -> Iterator[Scene]:
    """The same with vouchers whose codes are the client's own."""
    templates = campaign_like_demo().model_dump(by_alias=True)["templates"]
    templates["welcome"]["codes"] = "client"
    with scene(SPONSORS, templates=templates) as here:
        codes = [f"OWN{number:05}X" for number in range(1000, 2600)]
        here.drop("codes/welcome/own.csv", "\n".join(["code", *codes]).encode(), len(codes))
        _invited(here)
        here.work_off()
        here.confirm_all(PEOPLE)
        here.work_off()
        yield here


@contextmanager
def mixed(campaigns: int) -> Iterator[Scene]:
    """A full batch of facts of so many campaigns."""
    with scene(1) as here:
        names = [f"campaign{number}" for number in range(campaigns)]
        for name in names:
            put_campaign(here.ports, campaign_like_demo().model_copy(update={"id": name}))
        here.pass_by(minutes=1)
        here.forget_facts()
        facts = [
            received(here, number, names[number % campaigns]) for number in range(STREAM_BATCH)
        ]
        here.commit(facts=facts)
        here.count_facts()
        yield here


def received(here: Scene, number: int, campaign: str = CAMPAIGN) -> Fact:
    """The fact that an invitation came in."""
    name = f"{number:032x}"
    body = InvitationReceived(
        sponsor_id=name, invitation_id=name, channel=Channel.EMAIL, campaign_version=1
    )
    return Fact.of(
        body, fact_id=name, campaign=campaign, subject=name, at=here.cloud.now, correlation=name
    )


@contextmanager
def sealed(batches: int) -> Iterator[Scene]:
    """So many batches of a campaign's facts, counted and sealed."""
    with scene(1) as here:
        functions.seal()
        for first in range(0, batches * STREAM_BATCH, STREAM_BATCH):
            here.commit(facts=[received(here, first + number) for number in range(STREAM_BATCH)])
        here.count_facts()
        here.record("seal", functions.seal, batches * STREAM_BATCH)
        yield here


@contextmanager
def checked(facts: int) -> Iterator[Scene]:
    """So many facts of an hour, whose work is done and which are counted, are checked."""
    with scene(1) as here:
        functions.reconcile()
        for first in range(0, facts, STREAM_BATCH):
            here.commit(facts=[received(here, first + number) for number in range(STREAM_BATCH)])
        here.count_facts()
        here.pass_by(hours=1, minutes=20)
        here.record("reconcile", functions.reconcile, facts)
        yield here


@contextmanager
def due() -> Iterator[Scene]:
    """Half of the people answer and order, the others do not; time passes until all that is due.

    Agendas have two partitions while this is stored, so that a message has as many things as in a
    large load.
    """
    with scene(SPONSORS) as here:
        with _few_partitions(2):
            _invited(here)
            here.work_off()
            buyers = PEOPLE[::2]
            here.confirm_all(buyers)
            here.work_off()
            functions.export()
            here.drop("orders/placed.csv", orders(here, buyers), len(buyers))
            here.work_off()
            for days in (15, 30, 30):
                here.pass_by(days=days)
                functions.export()
                here.record("expire", functions.expire)
                here.work_off()
        yield here


@contextmanager
def _few_partitions(count: int) -> Iterator[None]:
    few = dict.fromkeys(schema.SHARDS, count)
    with patch.object(schema, "SHARDS", few):
        yield


def digest(address: str) -> str:
    """The digest of an address, as the client makes it."""
    return AddressDigests.of(Address.parse(address), [KEY]).under(KEY.key_id).exact


def orders(here: Scene, buyers: list[str], status: str = "placed") -> bytes:
    """A file of an order of each buyer."""
    rows = [
        {
            "order_id": f"A{number}",
            "ordered_at": here.cloud.now.isoformat(),
            "email_digest": digest(buyer),
            "voucher_code": "",
            "amount": "80.00",
            "currency": "EUR",
            "status": status,
        }
        for number, buyer in enumerate(buyers)
    ]
    lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]
    return "\n".join(lines).encode()


@contextmanager
def requeued() -> Iterator[Scene]:
    """Invitations that waited for a list are queued again and decided."""
    with scene(SPONSORS) as here:
        with _few_partitions(2):
            _invited(here)
            for bodies in here.cloud.network.queued.values():
                bodies.clear()  # as if they had waited too long
            here.forget_facts()
            requeue_undecided(here.ports, CAMPAIGN)
            here.work_off()
            here.count_facts()
        yield here


@contextmanager
def rekeyed() -> Iterator[Scene]:
    """The client brings a new key in force; referrals get digests under it."""
    with scene(SPONSORS) as here:
        with _few_partitions(2):
            _invited(here)
            here.work_off()
            here.confirm_all(PEOPLE)
            here.work_off()
            here.cloud.clients.ssm.put_parameter(
                Name=f"/tandem/test/digest-keys/{NEW_KEY}", Value="0b" * 32, Type="SecureString"
            )
            keys = {"algorithm": "hmac-sha256", "key_ids": [NEW_KEY, KEY.key_id]}
            put_campaign(here.ports, campaign_like_demo(digests=keys))
            here.pass_by(minutes=30)
            functions.reconcile()
            here.work_off()
        yield here


@contextmanager
def exported(vouchers: int, *, lags: bool = False) -> Iterator[Scene]:
    """So many vouchers wait, one run exports them."""
    with waiting(vouchers) as here:
        here.cloud.table.lags = lags
        here.record("export", functions.export, vouchers)
        here.cloud.table.lags = False
        here.cloud.table.catch_up()
        yield here


class _StillOpenError(Exception):
    """A run was ended from outside."""


def exported_while_more_come(vouchers: int = 180, most: int = 1_800) -> int | None:
    """As many vouchers come while a run exports as it exports: how many it has exported when it
    seals the file; None if it goes on beyond `most`.
    """
    with waiting(vouchers) as here:
        come = vouchers

        def more(call: Call) -> None:
            nonlocal come
            if call.operation == "TransactWriteItems" and "EXPORT_PART" in str(call.body):
                if come >= most:
                    raise _StillOpenError
                here.multiply(Voucher, voucher_like, PART, come)
                come += PART

        with here.interrupted(more):
            try:
                functions.export()
            except Exception:
                return None
        return come


@contextmanager
def waiting(vouchers: int) -> Iterator[Scene]:
    """So many vouchers like one that was issued are in no export yet."""
    with scene(1) as here:
        here.invite(0, PEOPLE[0])
        here.work_off()
        here.confirm_all(PEOPLE[:1])
        here.work_off()
        here.multiply(Voucher, voucher_like, vouchers - 1)
        yield here


def voucher_like(voucher: Voucher, number: int) -> Voucher:
    """Another one."""
    key = f"T{number:013}"
    return replace(voucher, voucher_id=f"{number:032x}", code_key=key, code=key, revision=0)


@contextmanager
def acknowledged(vouchers: int) -> Iterator[Scene]:
    """The client acknowledges an export of so many."""
    with exported(vouchers) as here:
        here.work_off_file("acks/00000001.ack", b"", vouchers)
        yield here


@contextmanager
def order_file(rows: int) -> Iterator[Scene]:
    """An order file of referees' orders, one of each, and so many rows of other people."""
    with story() as here:
        others = [f"other{number}@mail.test" for number in range(rows)]
        content = orders(here, [*PEOPLE, *others])
        here.work_off_file("orders/large.csv", content, rows + len(PEOPLE))
        yield here


@contextmanager
def reported(referrals: int, changed: int) -> Iterator[Scene]:
    """A table of so many referrals is made again after some have changed."""
    with scene(1) as here:
        here.invite(0, PEOPLE[0])
        here.work_off()
        here.confirm_all(PEOPLE[:1])
        here.work_off()
        here.multiply(Referral, referral_like, referrals - 1)
        functions.report()
        here.pass_by(hours=1)
        here.store_again(Referral, changed)
        here.record("report", functions.report, referrals)
        yield here


def referral_like(referral: Referral, number: int) -> Referral:
    """Another one, confirmed a second later than the one before."""
    at = referral.confirmed_at + timedelta(seconds=number)
    return replace(referral, referral_id=f"{number:032x}", confirmed_at=at, revision=0)
