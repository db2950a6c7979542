"""The events that are measured: of each function a typical one, and the largest that it can get.

A queue's or a stream's largest event is a full batch. What a schedule starts has no largest event:
it is measured at two sizes, and what a thing more takes is added up to what is promised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from bench.capacity import deployed, loads
from bench.capacity.scene import STREAM_BATCH, Scene, scene, strangers
from chalicelib.domain.campaign.brand import PICTURE_BYTES
from chalicelib.domain.effects import Queue
from chalicelib.domain.locales import LOCALES
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.journal import PARTS_AT_ONCE
from chalicelib.wallets.messages import ApplePass
from tests import functions
from tests.api.gateway import Request
from tests.api.requests import PURCHASE
from tests.api.world import (
    CAMPAIGN,
    Item,
    customer_list,
    mail_event,
    posting,
    queue_event,
    stream_event,
)
from tests.simulation.machine import HANDLERS

MILLION = 1_000_000
# Of a busy day: 130 vouchers a second, for the five minutes between two runs of export.
EXPORTED = 130 * 300
ROWS_OF_A_FILE = 5_600  # more than a part of a file has
LIST_ROWS = 100_000
STORED = 3_000  # vouchers in the table, some pages of it
ORDERS_A_CALL = 500
LINK = f"/privacy/?campaign={CAMPAIGN}#token="
BATCHES = {
    Queue.DECIDE: deployed.batch_size("DecideSource"),
    Queue.MAIL: deployed.batch_size("MailSource"),
    Queue.REWARD: deployed.batch_size("RewardSource"),
}
EVENTS_A_BATCH = deployed.batch_size("MailEventsSource")


@dataclass(frozen=True)
class Load:
    """A story whose last event of a function is the one that counts: of so many things. Of what
    grows with the things, it is one size of two, and `promised` is how many it may come to.
    """

    function: str
    what: str
    things: int
    play: Callable[[], AbstractContextManager[object]]
    promised: int = 0


def _batches() -> AbstractContextManager[Scene]:
    return _full_batches()


@contextmanager
def _full_batches() -> Iterator[Scene]:
    """Forty people are invited, decided on, mailed and rewarded, in full batches."""
    people = strangers(40)
    with scene(loads.SPONSORS) as here:
        for number, address in enumerate(people):
            here.invite(number % loads.SPONSORS, address)
        _in_full_batches(here)
        here.confirm_all(people)
        _in_full_batches(here)
        sent = [one["ids"]["M"]["invitation"]["S"] for one in _facts(here, "invitation_sent")]
        events = [mail_event("Delivery", f"invitation-{one}") for one in sent]
        records = [record for event in events for record in event["Records"]]
        for start in range(0, len(records), EVENTS_A_BATCH):
            functions.mail_events({"Records": records[start : start + EVENTS_A_BATCH]})
        yield here


def _in_full_batches(here: Scene) -> None:
    while (relayed := here.relay()) or any(here.cloud.network.queued.values()):
        if relayed:
            continue
        for queue, bodies in here.cloud.network.queued.items():
            waiting = list(bodies)
            bodies.clear()
            size = BATCHES.get(Queue(queue), 1)
            for start in range(0, len(waiting), size):
                event = queue_event(waiting[start : start + size], queue)
                assert HANDLERS[queue](event) == {"batchItemFailures": []}


def _facts(here: Scene, name: str) -> list[Item]:
    return [dict(one) for one in here.cloud.table.stream if one.get("name") == {"S": name}]


@contextmanager
def _relayed() -> Iterator[Scene]:
    with loads.mixed(20) as here:
        functions.relay(
            stream_event([dict(one) for one in here.cloud.table.stream][-STREAM_BATCH:])
        )
        yield here


@contextmanager
def _many_orders() -> Iterator[Scene]:
    """The client reports as many orders as a call takes, and somebody looks at the dashboard."""
    with loads.story() as here:
        here.ask("dashboard", Request("GET", f"/v1/ops/campaigns/{CAMPAIGN}/dashboard"))
        orders = [
            {**PURCHASE, "order_id": f"A{number}", "status": "placed",
             "email_digest": loads.digest(f"stranger{number}@mail.test")}
            for number in range(ORDERS_A_CALL)
        ]  # fmt: skip
        here.ask("orders", posting("/v1/client/orders", {"orders": orders}))
        yield here


@contextmanager
def _large_list() -> Iterator[Scene]:
    with scene(1) as here:
        content = customer_list(
            *(f"customer{number}@demo.test" for number in range(LIST_ROWS // 2))
        )
        here.drop("customers/full/large.csv", content, LIST_ROWS)
        yield here


@contextmanager
def _persons() -> Iterator[Scene]:
    """A sponsor has her file made, then all erased, among some thousand vouchers."""
    with loads.story() as here:
        here.multiply(Voucher, loads.voucher_like, STORED)
        for wish, action in (("export", "file"), ("erase", "erasure")):
            body = {"campaign": CAMPAIGN, "email": "sponsor0@vip.test", "wish": wish}
            here.ask("privacy", posting("/v1/privacy/requests", body))
            here.work_off()
            token = here.cloud.links_mailed_to("sponsor0@vip.test", LINK)[-1]
            here.ask("privacy", Request("POST", f"/v1/privacy/{token}/{action}"))
            here.work_off()
            here.pass_by(days=1)
        yield here


@contextmanager
def _rooted(batches: int) -> Iterator[Scene]:
    with loads.sealed(batches) as here:
        functions.root()
        yield here


@contextmanager
def _signed() -> Iterator[Scene]:
    """As many bytes as a pass may have: the largest logo, and words in all languages."""
    with scene(1) as here:
        words = "".join(f'"text {number}" = "{"word " * 10}";\n' for number in range(15)).encode()
        files = {
            "logo@2x.png": bytes(PICTURE_BYTES["mail_logo"]),
            **{f"{locale}.lproj/pass.strings": words for locale in LOCALES},
        }
        fields = [{"key": f"key{number}", "value": "word " * 10} for number in range(15)]
        unsigned = ApplePass({"coupon": {"backFields": fields}}, files)
        for _ in range(3):  # the first has to read what it signs with
            functions.wallet({"wallet": "apple", "pass": unsigned.message()})
        yield here


@contextmanager
def _handed_out() -> Iterator[Scene]:
    """Vouchers by the thousand end on one day, and are handed out to `due`."""
    with loads.waiting(STORED) as here:
        functions.export()
        here.pass_by(days=400)
        functions.expire()
        here.work_off()
        yield here


LOADS: tuple[Load, ...] = (
    Load("api", f"{ORDERS_A_CALL} orders of a call", 1, _many_orders),
    Load("relay", f"{STREAM_BATCH} facts of 20 campaigns", 1, _relayed),
    Load("project", f"{STREAM_BATCH} facts of 20 campaigns", 1, _relayed),
    Load("decide", "a full batch", 1, _batches),
    Load("mail", "a full batch", 1, _batches),
    Load("mail_events", "a full batch", 1, _batches),
    Load("reward", "a full batch", 1, _batches),
    Load("wallet", "a pass with a logo, in five languages", 1, _signed),
    Load("due", "stretches of 3,000 vouchers", 1, _handed_out),
    Load("expire", "3,000 vouchers", 1, _handed_out),
    Load("persons", f"an erasure among {STORED:,} vouchers", 1, _persons),
    Load("ingest", f"{ROWS_OF_A_FILE:,} orders", 1, lambda: loads.order_file(ROWS_OF_A_FILE)),
    Load("ingest", f"an acknowledgement of {ROWS_OF_A_FILE:,}", 1,
         lambda: loads.acknowledged(ROWS_OF_A_FILE)),
    Load("ingest", f"a list of {LIST_ROWS:,} digests", 1, _large_list),
    Load("export", "vouchers", 270, lambda: loads.exported(270), EXPORTED),
    Load("export", "vouchers", 2_700, lambda: loads.exported(2_700), EXPORTED),
    Load("reconcile", "facts of an hour", 10 * STREAM_BATCH,
         lambda: loads.checked(10 * STREAM_BATCH), MILLION),
    Load("reconcile", "facts of an hour", 100 * STREAM_BATCH,
         lambda: loads.checked(100 * STREAM_BATCH), MILLION),
    Load("report", "referrals", 500, lambda: loads.reported(500, 10), MILLION),
    Load("report", "referrals", 4_000, lambda: loads.reported(4_000, 10), MILLION),
    Load("seal", "facts of a group", 4 * STREAM_BATCH, lambda: loads.sealed(4),
         PARTS_AT_ONCE * STREAM_BATCH),
    Load("seal", "facts of a group", 40 * STREAM_BATCH, lambda: loads.sealed(40),
         PARTS_AT_ONCE * STREAM_BATCH),
    Load("root", "facts of a group", 4 * STREAM_BATCH, lambda: _rooted(4),
         PARTS_AT_ONCE * STREAM_BATCH),
    Load("root", "facts of a group", 40 * STREAM_BATCH, lambda: _rooted(40),
         PARTS_AT_ONCE * STREAM_BATCH),
)  # fmt: skip
