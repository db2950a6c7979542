"""Laws under real concurrency: many callers at one instant, on the deployed functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import TypeVar
from urllib.parse import quote

import pytest

from local.demo.lists import CAMPAIGN, vip_address
from local.narration import Narrator
from local.story import Story
from local.surfaces import Surfaces

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

T = TypeVar("T")
CALLERS = 8


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Run the calls so that they start together."""
    barrier = Barrier(len(calls))

    def started(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(started, calls))


@pytest.fixture(scope="module")
def world(played: Story) -> Surfaces:
    return played.world


@pytest.fixture(scope="module")
def sessions(world: Surfaces) -> list[str]:
    """The sessions of several VIPs."""
    addresses = [vip_address(number) for number in range(20, 20 + CALLERS)]
    for address in addresses:
        world.call("POST", f"/campaigns/{CAMPAIGN}/sign-in", {"email": address})
    narrator = Narrator(world.stack)
    narrator.wait(
        "sign-in mails", lambda: sum(bool(world.letters(address)) for address in addresses), CALLERS
    )
    opened = []
    for address in addresses:
        body = {"token": world.token_for(address, "sponsor"), "first_name": "Anne"}
        answer = world.call("POST", f"/campaigns/{CAMPAIGN}/sessions", body)
        opened.append(str(answer.json()["session"]))
    return opened


def test_laws_1_and_2_of_many_sponsors_inviting_one_person_at_once_one_succeeds(
    world: Surfaces, sessions: list[str]
) -> None:
    before = world.dashboard()["funnel"]
    body = {"referees": [{"email": "wanted.races@demo.test"}]}

    def invite(session: str) -> int:
        return world.call("POST", "/sponsor/invitations", body, bearer=session).status_code

    answers = at_once(*(lambda session=session: invite(session) for session in sessions))
    assert answers == [202] * CALLERS

    def decided() -> int:
        funnel = world.dashboard()["funnel"]
        return sum(int(funnel[name] - before[name]) for name in ("sent", "refused"))

    narrator = Narrator(world.stack)
    narrator.wait("decided", decided, CALLERS)
    assert narrator.failures == []
    assert len(world.letters("wanted.races@demo.test")) == 1


def test_law_6_of_many_redemptions_at_once_one_wins_and_of_many_rollbacks_too(
    world: Surfaces,
) -> None:
    code = world.codes_for("new8@demo.test")[0]
    path = f"/vouchers/{code}/redemptions"
    before = world.funnel("vouchers_redeemed")

    def redeem(number: int) -> int:
        body = {
            "order_id": f"RACE-{number}",
            "ordered_at": datetime.now(UTC).isoformat(),
            "amount": "60.00",
            "currency": "EUR",
        }
        return world.as_client("POST", path, body).status_code

    answers = at_once(*(lambda number=number: redeem(number) for number in range(CALLERS)))
    assert Counter(answers) == {201: 1, 409: CALLERS - 1}
    winner = answers.index(201)
    undone = at_once(
        *(
            lambda: world.as_client("DELETE", f"{path}/RACE-{winner}").status_code
            for _ in range(CALLERS)
        )
    )
    assert undone == [204] * CALLERS
    assert world.as_client("GET", f"/vouchers/{code}").json()["acceptable"] is True
    narrator = Narrator(world.stack)
    narrator.wait(
        "all counted",
        lambda: int(world.funnel("vouchers_redeemed") == before),
        1,
    )


def test_one_session_for_one_mailed_link_however_many_ask_at_once(world: Surfaces) -> None:
    address = vip_address(40)
    world.call("POST", f"/campaigns/{CAMPAIGN}/sign-in", {"email": address})
    Narrator(world.stack).wait("sign-in mail", lambda: len(world.letters(address)), 1)
    body = {"token": world.token_for(address, "sponsor")}
    path = f"/campaigns/{CAMPAIGN}/sessions"
    answers = at_once(*(lambda: world.call("POST", path, body).status_code for _ in range(CALLERS)))
    assert Counter(answers) == {201: 1, 401: CALLERS - 1}


@pytest.mark.parametrize("order_id", ["#1006", "FR 2026/17", "a+b", "%2F", "100%", "é" * 64])
def test_an_order_id_of_any_characters_is_redeemed_and_rolled_back(
    world: Surfaces, order_id: str
) -> None:
    code = world.codes_for("new8@demo.test")[0]
    typed = quote(code.lower().replace("-", " "))
    path = f"/vouchers/{typed}/redemptions"
    body = {
        "order_id": order_id,
        "ordered_at": datetime.now(UTC).isoformat(),
        "amount": "60.00",
        "currency": "EUR",
    }
    assert world.as_client("POST", path, body).status_code == 201
    assert world.as_client("GET", f"/vouchers/{typed}").json()["reason"] == "exhausted"
    undone = world.as_client("DELETE", f"{path}/{quote(order_id, safe='')}")
    assert undone.status_code == 204
    assert world.as_client("GET", f"/vouchers/{typed}").json()["acceptable"] is True
