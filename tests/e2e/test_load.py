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
from local.stack import running_stack
from local.story import Story
from local.surfaces import Surfaces

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

T = TypeVar("T")
AT_A_TIME = 24
SPONSORS = int(os.environ.get("TANDEM_LOAD_SPONSORS", "24"))
CALLS_EACH = 2
REFEREES_A_CALL = 10
CUSTOMERS_A_CALL = 1
"""of the referees of a call, those who are on the customer list"""


@dataclass(frozen=True)
class Crowd:
    """What a crowd did: the status of every call, and whom it invited."""

    calls: Counter[int]
    newcomers: list[str]
    listed: list[str]


def each(work: Callable[[T], httpx.Response], over: Iterable[T]) -> list[httpx.Response]:
    """Do the work for each, so many at a time."""
    with ThreadPoolExecutor(AT_A_TIME) as callers:
        return list(callers.map(work, over))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: what a crowd leaves behind would be in every other test's way."""
    with running_stack(directory=tmp_path_factory.mktemp("crowd")) as running:
        yield running


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[Surfaces]:
    """The demo's campaign with its lists in force; calls wait as long as a crowd takes."""
    story = Story(stack, Narrator(stack))
    story.lists()
    story.world.close()
    surfaces = Surfaces(stack, CAMPAIGN, timeout_s=None)
    yield surfaces
    surfaces.close()


@pytest.fixture(scope="module")
def crowd(world: Surfaces) -> Crowd:
    """Everybody signs in and invites; returns when everything is decided."""
    narrator = Narrator(world.stack)
    sponsors = [vip_address(1 + number) for number in range(SPONSORS)]

    def sign_in(address: str) -> httpx.Response:
        return world.call("POST", f"/campaigns/{CAMPAIGN}/sign-in", {"email": address})

    def open_session(address: str) -> httpx.Response:
        body = {"token": tokens[address], "first_name": "Anne"}
        return world.call("POST", f"/campaigns/{CAMPAIGN}/sessions", body)

    def invite(call: tuple[str, list[str]]) -> httpx.Response:
        body = {"referees": [{"email": address} for address in call[1]]}
        return world.call("POST", "/sponsor/invitations", body, bearer=call[0])

    def decided() -> int:
        funnel = world.dashboard()["funnel"]
        return int(funnel["sent"] + funnel["refused"])

    signed_in = each(sign_in, sponsors)
    narrator.wait("sign-in mails", lambda: len(world.letters()), SPONSORS)
    tokens = {address: world.token_for(address, "sponsor") for address in sponsors}
    opened = each(open_session, sponsors)
    calls = [
        (answer.json()["session"], referees_of(call * SPONSORS + number))
        for call in range(CALLS_EACH)
        for number, answer in enumerate(opened)
    ]
    invited = each(invite, calls)
    named = [address for _, referees in calls for address in referees]
    narrator.wait("decided", decided, len(named))
    assert narrator.failures == []
    listed = [address for address in named if address.startswith("customer")]
    return Crowd(
        calls=Counter(answer.status_code for answer in [*signed_in, *opened, *invited]),
        newcomers=[address for address in named if address not in set(listed)],
        listed=listed,
    )


def referees_of(call: int) -> list[str]:
    """Whom one call invites: newcomers, and some who are customers already."""
    new = REFEREES_A_CALL - CUSTOMERS_A_CALL
    listed = range(call * CUSTOMERS_A_CALL, (call + 1) * CUSTOMERS_A_CALL)
    return [
        *(f"c{call}-{number}.crowd@demo.test" for number in range(new)),
        *(customer_address(1000 + number) for number in listed),
    ]


def test_every_call_is_answered_as_if_it_were_the_only_one(crowd: Crowd) -> None:
    invitations = SPONSORS * CALLS_EACH
    assert crowd.calls == {202: SPONSORS + invitations, 201: SPONSORS}


def test_every_count_is_exact(crowd: Crowd, world: Surfaces) -> None:
    now = world.dashboard()
    assert {name: now["funnel"][name] for name in ("invited", "sent", "refused")} == {
        "invited": SPONSORS * CALLS_EACH * REFEREES_A_CALL,
        "sent": len(crowd.newcomers),
        "refused": len(crowd.listed),
    }
    assert now["refused_by_reason"] == {"customer": len(crowd.listed)}


def test_laws_2_and_3_each_newcomer_has_one_mail_and_no_customer_any(
    crowd: Crowd, world: Surfaces
) -> None:
    mails = Counter(letter.to for letter in world.letters())
    assert {address: mails[address] for address in crowd.newcomers} == dict.fromkeys(
        crowd.newcomers, 1
    )
    assert [address for address in crowd.listed if mails[address]] == []


@pytest.mark.usefixtures("crowd")
def test_nothing_was_given_up(stack: Stack) -> None:
    queues = stack.sqs.list_queues(QueueNamePrefix="tandem-local-")["QueueUrls"]
    dead = [url for url in queues if url.endswith("-dead")]
    assert len(dead) == len(DEAD_QUEUES)
    for url in dead:
        found = stack.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        assert found["Attributes"]["ApproximateNumberOfMessages"] == "0", url
