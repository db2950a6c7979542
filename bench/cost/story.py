"""The stories that are billed: the whole life of the population's invitations, the same clock
without anybody, and an hour in which nothing happens.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout

from bench.capacity import deployed
from bench.capacity.loads import digest
from bench.capacity.scene import strangers
from bench.cost import population as people
from bench.cost.life import SCHEDULES, Life
from chalicelib import observability
from chalicelib.domain.files.orders import COLUMNS
from chalicelib.domain.vouchers import Voucher
from chalicelib.functions import handler_of
from tests.api.gateway import Request as HttpRequest
from tests.api.requests import CONFIRMATION
from tests.api.world import CAMPAIGN, posting
from tests.simulation.cloud import cloud

UNNAMED = "service_undefined"  # what Powertools calls a function without a name


@contextmanager
def _life(window_s: float) -> Iterator[Life]:
    filters = {
        name: deployed.template()["Resources"][name]["Properties"]["FilterCriteria"]
        for name in ("RelaySource", "ProjectSource")
    }
    with cloud(seed=1, as_deployed=True) as here:
        _forget_loggers()
        yield Life(here, window_s, filters)
    _forget_loggers()


def _forget_loggers() -> None:
    """They keep the output that they were made with, and `logging` keeps them by their name."""
    for made in ("_made_logger", "_metrics"):
        getattr(observability, made).cache_clear()
    logging.root.manager.loggerDict.pop(os.environ.get("POWERTOOLS_SERVICE_NAME", UNNAMED), None)


@contextmanager
def alone(life: Life) -> Iterator[Life]:
    """The same schedules at the same times as in a life, with nobody there."""
    with _life(0) as empty, redirect_stdout(empty.out):
        for name, days in life.clockwork:
            if name:
                empty.run(name)
            else:
                empty.pass_days(days)
        yield empty


@contextmanager
def idle() -> Iterator[Life]:
    """A campaign in force that nobody comes to: every schedule once, when an hour has passed in
    which nothing happened, and `report` on the first hour of a day as well.
    """
    with _life(0) as life, redirect_stdout(life.out):
        for hours in (1.5, 1, 1):
            life.pass_by(hours=hours)
            for name in SCHEDULES:
                handler_of(name)()
        life.take_lines()
        life.pass_by(hours=1)
        for name in SCHEDULES:
            life.run(name)
        life.pass_by(days=1)
        life.record(FIRST_REPORT, handler_of("report"))
        yield life


FIRST_REPORT = "report of a day"


@contextmanager
def played(window_s: float | None = None) -> Iterator[Life]:
    """The life of the population's invitations."""
    project = deployed.template()["Resources"]["ProjectSource"]["Properties"]
    window = project["MaximumBatchingWindowInSeconds"] if window_s is None else window_s
    with _life(window) as life:
        with redirect_stdout(life.out):
            _play(life)
        yield life


def _play(life: Life) -> None:
    referees = strangers(people.PLAYED)
    invited = referees[people.CUSTOMERS :]
    life.bouncing = invited[-1]
    _sign_in(life)
    _invite(life, referees)
    life.settle()
    for path in _offers(life, invited[: people.OPENED]):
        life.call("offer", HttpRequest("GET", path))
    life.pass_days(1)
    confirmed = invited[: people.CONFIRMED]
    offers = _offers(life, confirmed)
    for path in offers:
        life.call("confirm", posting(f"{path}/confirmation", CONFIRMATION))
    life.call("decline", posting(f"{_offers(life, [invited[people.CONFIRMED]])[0]}/decline"))
    life.settle()
    _export(life, 1)
    for path in (offers * 2)[: people.SEEN_AGAIN]:
        life.call("offer", HttpRequest("GET", path))
    _run_all(life)
    life.pass_days(4)
    _order(life, confirmed[: people.BUYERS])
    life.settle()
    for days in (10, 15):
        life.pass_days(days)
        life.run("expire")
        life.settle()
    _export(life, 2)
    _run_all(life)
    for days in (40, 40, 40):
        life.pass_days(days)
        life.run("expire")
        life.settle()
    life.run("export")
    _run_all(life)
    life.end()


def _sign_in(life: Life) -> None:
    of_campaign = f"/v1/campaigns/{CAMPAIGN}"
    asking = [life.sponsor(n) for n in range(people.SPONSORS)]
    for address in [*asking, *(f"nobody{n}@mail.test" for n in range(people.STRANGERS))]:
        life.call("campaign", HttpRequest("GET", of_campaign))
        life.call("sign_in", posting(f"{of_campaign}/sign-in", {"email": address}))
    life.settle()
    for address in asking:
        [token, *_] = life.cloud.tokens_mailed_to(address)
        body = {"token": token, "first_name": "Claire"}
        answer = life.call("session", posting(f"{of_campaign}/sessions", body))
        life.sessions.append(json.loads(answer)["session"])


def _invite(life: Life, referees: Sequence[str]) -> None:
    waiting = list(referees)
    for session in life.sessions:
        bearer = {"Authorization": f"Bearer {session}"}
        for count in people.A_CALL:
            body = {"referees": [{"email": one, "first_name": "Jeanne"} for one in waiting[:count]]}
            waiting = waiting[count:]
            life.call(
                "invite",
                posting(
                    "/v1/sponsor/invitations", body, Idempotency_Key=f"{len(waiting)}", **bearer
                ),
            )
        for _ in range(people.SPONSOR_LOOKS):
            life.call("sponsor", HttpRequest("GET", "/v1/sponsor", headers=bearer))


def _offers(life: Life, addresses: Sequence[str]) -> list[str]:
    tokens = [life.cloud.tokens_mailed_to(address)[0] for address in addresses]
    return [f"/v1/invitations/{token}" for token in tokens]


def _export(life: Life, number: int) -> None:
    life.run("export")
    life.settle()
    life.drop(f"acks/{number:08}.ack", b"")
    life.settle()


def _order(life: Life, buyers: Sequence[str]) -> None:
    by_holder = {one.holder_digest: one.code for one in life.stored(Voucher)}
    rows = [
        {
            "order_id": f"A{number:08}",
            "ordered_at": life.cloud.now.isoformat(),
            "email_digest": digest(buyer),
            "voucher_code": by_holder[digest(buyer)],
            "amount": "80.00",
            "currency": "EUR",
            "status": "placed",
        }
        for number, buyer in enumerate(buyers)
    ]
    lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]
    life.drop("orders/placed.csv", "\n".join(lines).encode(), len(rows))


def _run_all(life: Life) -> None:
    """Every schedule, an hour later: what is to be done is done, then there is nothing."""
    life.pass_days(1.5 / 24)
    for name in ("seal", "root", "reconcile", "report"):
        life.run(name)
    life.settle()
