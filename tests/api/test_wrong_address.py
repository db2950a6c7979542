"""The API's own address is no way round the pages' address, where each caller is limited.

The client's systems, who sign, and ops, who have a token of their pool, call the API itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib import bootstrap
from chalicelib.api.operations import OPERATIONS
from tests.api.gateway import ORIGIN_KEY, ORIGIN_KEY_HEADER, Answer, Request
from tests.api.requests import GOOD, OF_CAMPAIGN
from tests.api.world import STRANGER, VIP, World, posting

pytestmark = pytest.mark.slow

AT_PAGES_ADDRESS = [one.name for one in OPERATIONS if one.security in {"public", "session", "wall"}]
AT_ANY_ADDRESS = [one.name for one in OPERATIONS if one.security in {"client", "ops"}]


def _with_key(request: Request, key: str) -> Request:
    return Request(
        request.method, request.path, request.body, {**request.headers, ORIGIN_KEY_HEADER: key}
    )


@pytest.mark.parametrize("operation", AT_PAGES_ADDRESS)
def test_what_does_not_come_by_way_of_the_pages_is_403_and_changes_nothing(
    world: World, operation: str
) -> None:
    request = GOOD[operation](world)
    table = world.table()
    for key in ("", "another-key", ORIGIN_KEY[:-1], f"{ORIGIN_KEY}é"):
        answer = world.ask(_with_key(request, key))
        assert (answer.status, answer.problem) == (403, "wrong-address")
        assert ORIGIN_KEY.encode() not in answer.body
    assert world.table() == table


@pytest.mark.parametrize("operation", AT_ANY_ADDRESS)
def test_who_signs_or_has_a_token_calls_the_api_itself(world: World, operation: str) -> None:
    request = GOOD[operation](world)
    described = next(one for one in OPERATIONS if one.name == operation)
    assert world.ask(_with_key(request, "")).status == next(iter(described.answers))


def test_law_8_the_refusal_is_the_same_for_everybody(world: World) -> None:
    def refused(address: str) -> Answer:
        request = posting(f"{OF_CAMPAIGN}/sign-in", {"email": address})
        with world.recorder.recording() as calls:
            answer = world.ask(_with_key(request, ""))
        assert calls == []
        return answer

    assert refused(VIP) == refused(STRANGER)


@pytest.fixture
def without_a_key(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A stack that gives its API no key."""
    monkeypatch.delenv("TANDEM_ORIGIN_KEY")
    bootstrap.settings.cache_clear()
    yield world
    bootstrap.settings.cache_clear()


def test_without_a_key_nothing_is_open(
    without_a_key: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.api.gateway.disagreement", lambda *_: None)
    request = GOOD["get_campaign"](without_a_key)
    assert without_a_key.ask(_with_key(request, "")).status == 500
