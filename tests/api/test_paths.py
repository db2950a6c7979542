"""Path parameters arrive as they were sent, percent-encoded, and are decoded once."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.domain.files.orders import MAX_ID, OrderRow, parse_order
from tests.api.gateway import Request
from tests.api.requests import OF_CAMPAIGN, PURCHASE, VOUCHERS
from tests.api.world import World, posting

pytestmark = pytest.mark.slow

SUB_DELIMITERS = "!$&'()*+,;=:@"  # a caller may leave them as they are: RFC 3986


def is_order_id(text: str) -> bool:
    order = parse_order({**PURCHASE, "order_id": text, "voucher_code": "-", "status": "placed"})
    return isinstance(order, OrderRow)


ORDER_IDS = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=MAX_ID).filter(
    is_order_id
)


@pytest.fixture
def used() -> set[str]:
    """The ids that were used on the voucher: a use that was rolled back is not repeated."""
    return set()


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(ORDER_IDS, st.sampled_from(["", SUB_DELIMITERS]))
@example("#1006", "")
@example("FR 2026/17", "")
@example("a+b", "")
@example("c+d", SUB_DELIMITERS)
@example("%25", "")
@example("%2F", "")
@example("100%", "")
@example("?x=1&y=2", "")
@example("a/../b", "")
@example("é" * MAX_ID, "")
@example("\U0001f600" * MAX_ID, "")
@example("%" * MAX_ID, "")
def test_every_order_id_is_redeemed_and_rolled_back(
    world: World, used: set[str], order_id: str, unencoded: str
) -> None:
    if order_id in used:  # was rolled back, so it cannot redeem again
        return
    used.add(order_id)
    code = _code_of(world)
    redeemed = world.ask(
        posting(f"{VOUCHERS}/{code}/redemptions", PURCHASE | {"order_id": order_id})
    )
    assert (redeemed.status, redeemed.json()["order_id"]) == (201, order_id)
    path = f"{VOUCHERS}/{code}/redemptions/{quote(order_id, safe=unencoded)}"
    assert world.ask(Request("DELETE", path)).status == 204
    assert world.ask(Request("DELETE", path)).status == 204
    assert world.ask(Request("GET", f"{VOUCHERS}/{code}")).json()["acceptable"] is True


def _code_of(world: World) -> str:
    found = world.vouchers()
    return str(found[0]["printed"]["S"]) if found else world.voucher()


@pytest.mark.parametrize("typed", ["{} ", " {}", "{lower}", "{spaced}", "{spaced}\u2009"])
def test_a_code_is_read_however_it_is_typed(world: World, typed: str) -> None:
    code = world.voucher()
    text = typed.format(code, lower=code.lower(), spaced=code.replace("-", " "))
    answer = world.ask(Request("GET", f"{VOUCHERS}/{quote(text, safe='')}"))
    assert (answer.status, answer.json()["code"]) == (200, code)
    path = f"{VOUCHERS}/{quote(text, safe='')}/redemptions"
    assert world.ask(posting(path, PURCHASE)).status == 201
    assert world.ask(Request("DELETE", f"{path}/{PURCHASE['order_id']}")).status == 204


def test_a_part_is_decoded_once(world: World) -> None:
    campaign = OF_CAMPAIGN.rpartition("/")[2]
    once = "".join(f"%{ord(character):02X}" for character in campaign)
    assert world.ask(Request("GET", f"/v1/campaigns/{once}")).status == 200
    assert world.ask(Request("GET", f"/v1/campaigns/{quote(once)}")).status == 404


@pytest.mark.parametrize("part", ["%FF", "%C3%28", "%ED%A0%80", "%E2%82"])
def test_what_is_no_text_is_unknown(world: World, part: str) -> None:
    answer = world.ask(Request("GET", f"{VOUCHERS}/{part}"))
    assert (answer.status, answer.problem) == (404, "not-found")


def test_what_is_no_text_is_not_taken_for_an_order_that_looks_like_it(world: World) -> None:
    path = f"{VOUCHERS}/{world.voucher()}/redemptions"
    assert world.ask(posting(path, PURCHASE | {"order_id": "\ufffd"})).status == 201
    assert world.ask(Request("DELETE", f"{path}/%FF")).status == 404
    assert world.ask(Request("DELETE", f"{path}/%EF%BF%BD")).status == 204


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=MAX_ID))
@example("%")
@example("/")
@example("\0")
def test_any_text_is_a_code_that_is_unknown(world: World, text: str) -> None:
    answer = world.ask(Request("GET", f"{VOUCHERS}/{quote(text, safe='')}"))
    assert (answer.status, answer.problem) == (404, "not-found")
