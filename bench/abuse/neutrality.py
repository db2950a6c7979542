"""Law 8 by bytes and by time: whether an answer tells what an address is.

The API's own code runs, on AWS in memory (`tests.simulation`). Of each kind of person and route the
bytes of the answer are compared, with all headers, and the calls to AWS one by one; and the time of
each call is measured, the kinds in turns in an order drawn by the seed. AUC is the chance that a
call about this kind takes longer than one about another (Mann–Whitney): 0.5 when time tells
nothing.
"""

from __future__ import annotations

import gc
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from random import Random
from time import perf_counter_ns
from unittest.mock import patch

from botocore.awsrequest import AWSResponse

from chalicelib.api import public
from chalicelib.domain.addresses import Address
from chalicelib.services.digests import digests_of
from chalicelib.services.lookups import current_campaign, find_vip
from chalicelib.services.ports import Ports
from chalicelib.services.sponsors.sign_in import request_sign_in
from tests.api.gateway import Request
from tests.api.requests import OF_CAMPAIGN, invitations
from tests.api.world import (
    CAMPAIGN,
    CUSTOMER,
    OTHER_VIP,
    STRANGER,
    VIP,
    campaign_like_demo,
    posting,
)
from tests.simulation.stage import Stage, stage
from tests.simulation.wire import Call

# All of one length, as those of tests/api/test_neutrality.py.
KINDS: Mapping[str, str] = {
    "VIP": OTHER_VIP,
    "VIP who signed in": VIP,
    "customer": CUSTOMER,
    "invited": STRANGER,
    "referee": "already.conf@demo.test",
    "opposed": "opposed.anne@demo.test",
    "unknown": "nobody.knows@demo.test",
}
SAMPLES = 2000  # of each kind and route
LIMIT = 0.03  # |AUC - 0.5|, which is more than four times what chance makes of 2,000 samples
BLOCK = 40  # samples of each kind before the stage is as it was at first
WARM_UP = 20

Asking = Callable[[str], Request]


@dataclass(frozen=True)
class Neutrality:
    """Of one route: how many answers differ, and what the time says of each kind of person."""

    route: str
    samples: int
    answers: int
    traces: int
    auc: Mapping[str, float]

    @property
    def worst(self) -> tuple[str, float]:
        """The kind whose AUC is furthest from 0.5."""
        return max(self.auc.items(), key=lambda one: abs(one[1] - 0.5))

    @property
    def limit(self) -> float:
        """What chance alone may make of so many samples, and `LIMIT` at least."""
        by_chance = sqrt((1 + 1 / (len(KINDS) - 1)) / (12 * self.samples))
        return max(LIMIT, 4 * by_chance)

    @property
    def holds(self) -> bool:
        """Whether neither bytes nor calls nor time tell anything."""
        return self.answers == self.traces == 1 and abs(self.worst[1] - 0.5) < self.limit


def measure(samples: int = SAMPLES, seed: int = 1) -> Iterator[Neutrality]:
    """Each route; then a sign-in that looks the VIP list up before it answers, which is seen."""
    with stage(seed) as here:
        session = _prepared(here)
        for route, asking in _routes(here, session).items():
            yield _measured(here, route, asking, samples, seed)
        asking = _routes(here, session)["sign-in"]
        with patch.object(public, "request_sign_in", _curious):
            yield _measured(here, "sign-in that looks the list up first", asking, samples, seed)


def _prepared(here: Stage) -> str:
    """Everybody of `KINDS` is what the kind says; the session of the sponsor."""
    here.put(campaign_like_demo(quotas={"sign_ups_per_day": 999, "invitations_per_sponsor": 999}))
    here.clock.pass_by(seconds=30)  # longer than a campaign file is remembered
    session = here.sign_in()
    here.invite(session, KINDS["invited"])
    assert here.confirm(here.invite(session, KINDS["referee"])).status == 201
    here.invite(session, KINDS["opposed"])
    token = here.last_to(KINDS["opposed"]).token("/v1/unsubscribe/")
    assert here.post(f"/v1/unsubscribe/{token}").status == 200
    here.run()
    return session


def _routes(here: Stage, session: str) -> dict[str, Asking]:
    link = f"{OF_CAMPAIGN}/links/{here.link_code(session)}/sign-up"
    return {
        "sign-in": lambda address: posting(f"{OF_CAMPAIGN}/sign-in", {"email": address}),
        "sign-up": lambda address: posting(link, {"email": address, "first_name": "Anne"}),
        "request for one's data": lambda address: posting(
            "/v1/privacy/requests", {"campaign": CAMPAIGN, "email": address, "wish": "export"}
        ),
        "invitation": lambda address: invitations(address, session=session),
    }


def _measured(here: Stage, route: str, asking: Asking, samples: int, seed: int) -> Neutrality:
    chance, first = Random(seed), here.cloud.save()
    times: dict[str, list[int]] = {kind: [] for kind in KINDS}
    answers, traces = set(), set()
    seen: list[str] = []
    on_call = here.cloud.network.on_call

    def noting(call: Call, carry_out: Callable[[], AWSResponse]) -> AWSResponse:
        seen.append(call.name)
        return on_call(call, carry_out)

    here.cloud.network.on_call = noting
    while len(times["unknown"]) < samples:
        first()
        _warm_up(here, asking)
        for _ in range(BLOCK):
            for kind in chance.sample(list(KINDS), len(KINDS)):
                request = asking(KINDS[kind])
                seen.clear()
                started = perf_counter_ns()
                answer = here.ask(request)
                times[kind].append(perf_counter_ns() - started)
                # The ids in the answer to an invitation differ, and nothing else.
                body = len(answer.body) if route == "invitation" else answer.body
                answers.add((answer.status, tuple(answer.headers.items()), body))
                traces.add(tuple(seen))
    first()
    here.cloud.network.on_call = on_call
    return Neutrality(route, samples, len(answers), len(traces), dict(_aucs(times)))


def _warm_up(here: Stage, asking: Asking) -> None:
    """What a process does once is done, and garbage of before is collected."""
    for _ in range(WARM_UP):
        here.ask(asking(KINDS["unknown"]))
    gc.collect()


def _aucs(times: Mapping[str, list[int]]) -> Iterator[tuple[str, float]]:
    for kind, own in times.items():
        yield kind, auc(own, [one for other, of in times.items() if other != kind for one in of])


def auc(own: list[int], others: list[int]) -> float:
    """The share of pairs in which the own one is larger, an equal one being half (Mann–Whitney)."""
    ordered = sorted(others)
    larger = sum(bisect_left(ordered, one) + bisect_right(ordered, one) for one in own)
    return larger / (2 * len(own) * len(others))


def _curious(ports: Ports, campaign: str, address: Address, locale: str | None) -> None:
    """A sign-in as law 8 forbids it."""
    known = current_campaign(ports, campaign)
    if find_vip(ports, known, digests_of(ports, known, address)).found:
        request_sign_in(ports, campaign, address, locale)
