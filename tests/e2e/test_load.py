"""A crowd: many sponsors invite many referees at once; no call fails, and every count is exact.

`TANDEM_LOAD_SPONSORS=150` is the full size: 3,000 referees, which take the emulator some minutes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import httpx
import pytest

from infra.postprocess import DEAD_QUEUES
from local.demo.lists import CAMPAIGN, customer_address, vip_address
from local.narration import Narrator
from local.running import Stack
from local.story import Story
from local.surfaces import Surfaces

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

T = TypeVar("T")
AT_A_TIME = 24
SPONSORS = int(os.environ.get("TANDEM_LOAD_SPONSORS", "24"))
FIRST = 101
"""the first of these VIPs; those before are other tests'"""
CALLS_EACH = 2
REFEREES_A_CALL = 10
CUSTOMERS_A_CALL = 1
"""of the referees of a call, those who are on the customer list"""


@dataclass(frozen=True)
class Crowd:
    """What a crowd did: the status of every call, and whom it invited."""

    calls: Counter[int]
    invited: list[str]
    listed: list[str]
    before: dict[str, int]


def each(work: Callable[[T], httpx.Response], over: Iterable[T]) -> list[httpx.Response]:
    """Do the work for each, so many at a time."""
    with ThreadPoolExecutor(AT_A_TIME) as callers:
        return list(callers.map(work, over))


@pytest.fixture(scope="module")
def world(stack: Stack, told: Story) -> Iterator[Surfaces]:
    """The demo's campaign, its lists in force; with the patience that a crowd needs."""
    surfaces = Surfaces(stack, CAMPAIGN, timeout_s=None)
    yield surfaces
    surfaces.close()


@pytest.fixture(scope="module")
def crowd(world: Surfaces) -> Crowd:
    """Everybody signs in and invites; returns when everything is decided and mailed."""
    before = world.dashboard()["funnel"]
    sponsors = [vip_address(FIRST + number) for number in range(SPONSORS)]
    signed_in = each(
        lambda address: world.call("POST", f"/campaigns/{CAMPAIGN}/sign-in", {"email": address}),
        sponsors,
    )
    narrator = Narrator(world.stack)
    mailed = lambda to: len({letter.to for letter in world.letters()} & set(to))  # noqa: E731
    narrator.wait("sign-in mails", lambda: mailed(sponsors), SPONSORS)
    sessions = each(
        lambda address: world.call(
            "POST",
            f"/campaigns/{CAMPAIGN}/sessions",
            {"token": world.token_for(address, "sponsor"), "first_name": "Anne"},
        ),
        sponsors,
    )
    calls = [
        (answer.json()["session"], referees)
        for call in range(CALLS_EACH)
        for number, answer in enumerate(sessions)
        for referees in [referees_of(call * SPONSORS + number)]
    ]
    answers = each(
        lambda call: world.call(
            "POST",
            "/sponsor/invitations",
            {"referees": [{"email": address} for address in call[1]]},
            bearer=call[0],
        ),
        calls,
    )
    named = [address for _, referees in calls for address in referees]
    listed = [address for address in named if address.startswith("customer")]
    invited = [address for address in named if address not in listed]

    def decided() -> int:
        funnel = world.dashboard()["funnel"]
        return sum(int(funnel[name] - before[name]) for name in ("sent", "refused"))

    narrator.wait("decided", decided, len(named))
    assert narrator.failures == []
    calls_made = Counter(answer.status_code for answer in [*signed_in, *sessions, *answers])
    return Crowd(calls_made, invited, listed, before)


def referees_of(call: int) -> list[str]:
    """Whom one call invites: newcomers, and some who are customers already."""
    new = REFEREES_A_CALL - CUSTOMERS_A_CALL
    listed = range(call * CUSTOMERS_A_CALL, (call + 1) * CUSTOMERS_A_CALL)
    return [
        *(f"c{call}-{number}@crowd.test" for number in range(new)),
        *(customer_address(1000 + number) for number in listed),
    ]


def test_every_call_is_answered_as_if_it_were_the_only_one(crowd: Crowd) -> None:
    invitations = SPONSORS * CALLS_EACH
    assert crowd.calls == {202: SPONSORS + invitations, 201: SPONSORS}


def test_every_count_is_exact(crowd: Crowd, world: Surfaces) -> None:
    now = world.dashboard()["funnel"]
    counted = {name: now[name] - crowd.before[name] for name in ("invited", "sent", "refused")}
    assert counted == {
        "invited": len(crowd.invited) + len(crowd.listed),
        "sent": len(crowd.invited),
        "refused": len(crowd.listed),
    }


def test_laws_2_and_3_each_newcomer_has_one_mail_and_no_customer_any(
    crowd: Crowd, world: Surfaces
) -> None:
    mails = Counter(letter.to for letter in world.letters())
    assert {address: mails[address] for address in crowd.invited} == dict.fromkeys(crowd.invited, 1)
    assert [address for address in crowd.listed if mails[address]] == []


def test_nothing_was_given_up(crowd: Crowd, stack: Stack) -> None:
    names = {"StreamDead": "stream-dead", "ScheduleDead": "schedule-dead"}
    for logical_id in DEAD_QUEUES:
        kind = names.get(logical_id, logical_id.removesuffix("Dead"))
        del kind
    queues = stack.sqs.list_queues(QueueNamePrefix="tandem-local-")["QueueUrls"]
    dead = [url for url in queues if url.endswith("-dead")]
    assert len(dead) == len(DEAD_QUEUES)
    for url in dead:
        found = stack.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        assert found["Attributes"]["ApproximateNumberOfMessages"] == "0", url
