"""Bodies that are wrong, for every operation that takes one: a clear refusal that names the field,
quotes nothing, changes nothing. One world for all of them, since nothing happens in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.api.operations import OPERATIONS
from tests.api.conftest import GATEWAY
from tests.api.gateway import Answer, Request
from tests.api.requests import GOOD, HELD
from tests.api.world import World, posting
from tests.api.world import world as fresh_world

pytestmark = pytest.mark.slow

WITH_BODY = [one.name for one in OPERATIONS if one.request]
POSTS = [one.name for one in OPERATIONS if one.method == "POST"]
JSON_ALONE = [name for name in POSTS if name != "unsubscribe"]
LIMIT = {one.name: one.max_body_kb * 1024 for one in OPERATIONS}  # bytes
MARK = "zq7kx"  # in every wrong value, but in no answer


@dataclass(frozen=True)
class Still:
    """A world in which nothing may change, and a good request per operation."""

    world: World
    good: Mapping[str, Request]

    def refused(self, request: Request) -> Answer:
        """The answer to a request that must change nothing."""
        table = self.world.table()
        answer = self.world.ask(request)
        assert self.world.table() == table
        assert MARK.encode() not in answer.body
        return answer


@pytest.fixture(scope="module")
def still() -> Iterator[Still]:
    """The world of this module."""
    with fresh_world(GATEWAY) as world:
        # Each of them needs an invitation or a voucher of its own: one address, one campaign.
        good = {
            name: GOOD[name](world)
            for name in (*("sign_in", "make_privacy_request", "open_session", "sign_up", "invite"),)
        }
        signed_in = {"Authorization": good["invite"].headers["Authorization"]}
        name = {"first_name": "Solène"}
        good["preview_invitation"] = posting("/v1/sponsor/invitation-preview", name, **signed_in)
        good["name_sponsor"] = posting("/v1/sponsor/first-name", name, **signed_in)
        good["confirm_invitation"] = GOOD["confirm_invitation"](world)
        token = good["confirm_invitation"].path.split("/")[3]
        good["decline_invitation"] = Request("POST", f"/v1/invitations/{token}/decline")
        good["unsubscribe"] = Request("POST", f"/v1/unsubscribe/{token}")
        good["end_consent"] = Request("POST", f"/v1/invitations/{token}/consent-withdrawal")
        good["stop_sign_ins"] = Request("POST", f"/v1/sign-in-stops/{token}")
        good["take_file"] = Request("POST", f"/v1/privacy/{token}/file")
        good["confirm_erasure"] = Request("POST", f"/v1/privacy/{token}/erasure")
        good["renew_link"] = Request("POST", "/v1/sponsor/link", headers=signed_in)
        code = world.voucher("another@demo.test")
        good["redeem_voucher"] = _redemption(code)
        good["post_orders"] = _orders(code)
        for deciding, decision in (("release_reward", "release"), ("refuse_reward", "refusal")):
            good[deciding] = Request("POST", f"{HELD}/unknown/{decision}")
        world.run()
        yield Still(world, good)


def _redemption(code: str) -> Request:
    body = {
        "order_id": "web-1001",
        "ordered_at": "2026-03-02T11:00:00+01:00",
        "amount": "42.50",
        "currency": "EUR",
    }
    return posting(f"/v1/client/vouchers/{code}/redemptions", body)


def _orders(code: str) -> Request:
    order = json.loads(_redemption(code).body or b"") | {"voucher_code": code, "status": "placed"}
    return posting("/v1/client/orders", {"orders": [order]})


def _fields(request: Request) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(request.body or b"")
    return fields


def _filled(request: Request, fields: object) -> Request:
    return request.with_body(json.dumps(fields).encode(), Content_Type="application/json")


@pytest.mark.parametrize("operation", WITH_BODY)
@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b" ",
        b"{",
        b"{'email': 1}",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e99999999999999999999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"\xff\xfe\x00",
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        '{"a": "\ufffd'.encode(),
        b'{"a": 1} {"a": 2}',
        b"email=" + MARK.encode(),
    ],
    ids=lambda body: repr(body)[:24],
)
def test_what_is_no_json_is_400(still: Still, operation: str, body: bytes | None) -> None:
    answer = still.refused(still.good[operation].with_body(body))
    assert (answer.status, answer.problem) == (400, "malformed-json")


@pytest.mark.parametrize("operation", WITH_BODY)
@pytest.mark.parametrize("body", ["null", "true", "5", '"text"', "[]", "[{}]"])
def test_json_that_is_no_object_is_422_on_the_body(still: Still, operation: str, body: str) -> None:
    answer = still.refused(still.good[operation].with_body(body.encode()))
    assert (answer.status, answer.fields) == (422, {"body": "wrong_type"})


@pytest.mark.parametrize("operation", POSTS)
def test_a_body_over_the_limit_is_413(still: Still, operation: str) -> None:
    answer = still.refused(still.good[operation].with_body(b"x" * (LIMIT[operation] + 1)))
    assert (answer.status, answer.problem) == (413, "too-large")
    assert f"{LIMIT[operation] // 1024} KB" in answer.json()["detail"]


def test_the_limit_is_64_kb_but_for_orders() -> None:
    kilobytes = {name: limit // 1024 for name, limit in LIMIT.items()}
    assert kilobytes == dict.fromkeys(LIMIT, 64) | {"post_orders": 256}


@pytest.mark.parametrize("operation", WITH_BODY)
def test_a_body_of_the_limit_is_read(still: Still, operation: str) -> None:
    body = (b'{"unknown": "' + MARK.encode()).ljust(LIMIT[operation] - 2, b"x") + b'"}'
    assert still.refused(still.good[operation].with_body(body)).fields["unknown"] == "unknown_field"


@pytest.mark.parametrize("operation", JSON_ALONE)
@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=json",
        "application/octet-stream",
        "",
        MARK,
        "application/jsonx",
        "*/*",
        "text/plain; application/json",
    ],
)
def test_another_content_type_is_415(still: Still, operation: str, content_type: str) -> None:
    request = still.good[operation]
    answer = still.refused(request.with_body(request.body or b"{}", Content_Type=content_type))
    assert (answer.status, answer.problem) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", " application/json "]
)
def test_json_is_known_by_its_media_type_alone(still: Still, content_type: str) -> None:
    request = still.good["sign_in"].with_body(b"{}", Content_Type=content_type)
    assert still.refused(request).fields == {"email": "missing"}


@pytest.mark.parametrize("operation", JSON_ALONE)
def test_a_body_without_a_content_type_is_415(still: Still, operation: str) -> None:
    """The page of any site may have its visitor's browser send one, unasked."""
    request = still.good[operation]
    untyped = {k: v for k, v in request.headers.items() if k.lower() != "content-type"}
    answer = still.refused(replace(request, body=request.body or b"{}", headers=untyped))
    assert (answer.status, answer.problem) == (415, "unsupported-media-type")


@pytest.mark.parametrize("operation", [one for one in WITH_BODY if one != "preview_invitation"])
def test_every_missing_field_is_named(still: Still, operation: str) -> None:
    model = next(one.request for one in OPERATIONS if one.name == operation)
    assert model is not None
    required = {name for name, one in model.model_fields.items() if one.is_required()}
    answer = still.refused(_filled(still.good[operation], {}))
    assert answer.fields == dict.fromkeys(required, "missing")


@pytest.mark.parametrize("operation", WITH_BODY)
def test_an_unknown_field_is_named(still: Still, operation: str) -> None:
    request = still.good[operation]
    answer = still.refused(_filled(request, _fields(request) | {"extra": MARK}))
    assert answer.fields == {"extra": "unknown_field"}


def test_an_unknown_field_is_not_quoted_unless_it_is_a_plain_name(still: Still) -> None:
    request = still.good["sign_in"]
    for name in (f"{MARK}@demo.test", MARK * 20, "", "#", MARK.upper()):
        answer = still.refused(_filled(request, _fields(request) | {name: 1}))
        assert answer.fields == {"(unnamed)": "unknown_field"}


def test_an_answer_stays_small_however_much_is_wrong(still: Still) -> None:
    request = still.good["sign_in"]
    answer = still.refused(_filled(request, {f"{MARK}{n}": n for n in range(3000)}))
    assert answer.status == 422
    assert len(answer.body) < 4096


NO_TEXT: tuple[object, ...] = (None, True, [], {}, [[[]]], {"a": {"b": None}}, "\ud800", MARK * 500)
NO_NUMBER_EITHER = (0, -1, 1.5, 10**40, *NO_TEXT)
WRONG: Mapping[type, tuple[object, ...]] = {
    str: NO_NUMBER_EITHER,
    bool: (None, 0, 1, "true", "", [], {}, MARK),
    list: (None, True, 0, {}, "", MARK),
}
OPTIONAL = {"email_digest", "first_name", "locale"}


@pytest.mark.parametrize("operation", [one for one in WITH_BODY if one != "post_orders"])
def test_a_field_of_the_wrong_type_is_named(still: Still, operation: str) -> None:
    request = still.good[operation]
    model = next(one.request for one in OPERATIONS if one.name == operation)
    assert model is not None
    for name, field in model.model_fields.items():
        annotation = str(field.annotation)
        kind = bool if "bool" in annotation else list if "list" in annotation else str
        for value in NO_TEXT if name == "amount" else WRONG[kind]:
            if value is None and name in OPTIONAL:
                continue
            answer = still.refused(_filled(request, _fields(request) | {name: value}))
            assert (answer.status, set(answer.fields)) == (422, {name}), value


@pytest.mark.parametrize(
    ("operation", "field", "value", "reason"),
    [
        ("sign_in", "email", "", "missing"),
        ("sign_in", "email", "  ", "empty"),
        ("sign_in", "email", f"{MARK}@localhost", "bad_domain"),
        ("sign_in", "email", f"{MARK}@@demo.test", "several_at_signs"),
        ("sign_in", "email", f"{MARK} {MARK}@demo.test", "white_space"),
        ("sign_in", "email", f"{MARK}@demo.test\r\nBcc: x@demo.test", "white_space"),
        ("sign_in", "email", f"{MARK}\x00@demo.test", "control_character"),
        ("sign_in", "email", f"{MARK}\u202e@demo.test", "control_character"),
        ("sign_in", "email", f'"{MARK}"@demo.test', "bad_local_part"),
        ("sign_in", "email", f"<{MARK}@demo.test>", "bad_local_part"),
        ("sign_in", "email", f"{MARK}@[127.0.0.1]", "bad_domain"),
        ("sign_in", "email", f"{'a' * 65}@demo.test", "local_part_too_long"),
        ("sign_in", "email", f"{MARK}@{'a' * 250}.test", "too_long"),
        ("sign_in", "locale", "FR", "invalid"),
        ("make_privacy_request", "wish", "everything", "invalid"),
        ("make_privacy_request", "wish", "", "invalid"),
        ("make_privacy_request", "email", f"{MARK}@@demo.test", "several_at_signs"),
        ("make_privacy_request", "campaign", "a" * 101, "too_long"),
        ("sign_in", "locale", "fr-FR", "invalid"),
        ("sign_up", "first_name", f"http://{MARK}", "bad_character"),
        ("sign_up", "first_name", "<b>", "bad_character"),
        ("sign_up", "first_name", "a\r\nSubject: b", "bad_character"),
        ("sign_up", "first_name", "a" * 41, "too_long"),
        ("name_sponsor", "first_name", "", "empty"),
        ("name_sponsor", "first_name", "Service client", "not_a_person"),
        ("confirm_invitation", "terms_version", MARK, "not_in_force"),
        ("redeem_voucher", "order_id", "", "missing"),
        ("redeem_voucher", "order_id", f" {MARK}", "invalid"),
        ("redeem_voucher", "order_id", f"{MARK}\n", "invalid"),
        ("redeem_voucher", "order_id", MARK * 13, "too_long"),
        ("redeem_voucher", "ordered_at", "yesterday", "invalid"),
        ("redeem_voucher", "ordered_at", "2026-03-02", "without_offset"),
        ("redeem_voucher", "ordered_at", "2026-02-30T10:00:00Z", "invalid"),
        ("redeem_voucher", "ordered_at", "0001-01-01T00:00:00+14:00", "invalid"),
        ("redeem_voucher", "amount", "", "missing"),
        ("redeem_voucher", "amount", "12,50", "invalid"),
        ("redeem_voucher", "amount", "1e3", "invalid"),
        ("redeem_voucher", "amount", "-42.50", "invalid"),
        ("redeem_voucher", "amount", "42.505", "too_many_decimals"),
        ("redeem_voucher", "amount", 10**40, "invalid"),
        ("redeem_voucher", "currency", "eur", "invalid"),
        ("redeem_voucher", "email_digest", MARK, "invalid"),
        ("redeem_voucher", "currency", "", "missing"),
    ],
)
def test_a_field_of_the_wrong_content_is_named_with_the_reason(
    still: Still, operation: str, field: str, value: object, reason: str
) -> None:
    request = still.good[operation]
    answer = still.refused(_filled(request, _fields(request) | {field: value}))
    assert (answer.status, answer.fields) == (422, {field: reason})


def test_among_many_referees_the_wrong_ones_are_named(still: Still) -> None:
    request = still.good["invite"]
    referees: list[object] = [
        {"email": f"{MARK}@demo.test"},
        {"email": 5},
        None,
        {},
        {"email": f"{MARK}@demo.test", "phone": MARK},
    ]
    assert still.refused(_filled(request, {"referees": referees})).fields == {
        "referees[1].email": "wrong_type",
        "referees[2]": "wrong_type",
        "referees[3].email": "missing",
        "referees[4].phone": "unknown_field",
    }
    assert still.refused(_filled(request, {"referees": []})).fields == {"referees": "too_few"}
    many = [{"email": "a@demo.test"}] * 101
    assert still.refused(_filled(request, {"referees": many})).fields == {"referees": "too_many"}


@pytest.mark.parametrize("value", NO_NUMBER_EITHER, ids=lambda value: repr(value)[:20])
def test_a_wrong_order_is_rejected_by_itself(still: Still, value: object) -> None:
    request = still.good["post_orders"]
    (order,) = _fields(request)["orders"]
    named = [name for name in order if not (name == "amount" and isinstance(value, int | float))]
    # Any text may be a code of the shop's own, and none is one too.
    right = value is None or isinstance(value, str)
    wrong = [order | {name: value} for name in named if name != "voucher_code" or not right]
    results = still.refused(_filled(request, {"orders": [value, *wrong]})).json()["results"]
    assert {one["status"] for one in results} == {422}


def test_orders_are_1_to_500(still: Still) -> None:
    request = still.good["post_orders"]
    assert still.refused(_filled(request, {"orders": []})).fields == {"orders": "too_few"}
    assert still.refused(_filled(request, {"orders": [0] * 501})).fields == {"orders": "too_many"}
    assert len(still.refused(_filled(request, {"orders": [0] * 500})).json()["results"]) == 500


def test_500_orders_of_the_greatest_length_are_answered_in_their_order(
    still: Still,
) -> None:
    request = still.good["post_orders"]
    longest = {
        "order_id": "A" * 64,
        "ordered_at": "2026-03-02T11:00:00.123456+01:00",
        "email_digest": "a" * 64,
        "voucher_code": "B" * 64,
        "amount": "1234567890.12",
        "currency": "EUR",
        "status": "cancelled",
    }
    orders = [longest | {"order_id": f"{n:064}", "email_digest": f"{n:064}"} for n in range(500)]
    for order in orders[::2]:
        order["voucher_code"] = ""
    answer = still.refused(_filled(request, {"orders": orders}))
    assert answer.status == 207
    results = answer.json()["results"]
    assert [one["order_id"] for one in results] == [order["order_id"] for order in orders]
    assert [one["status"] for one in results] == [200] * 500
    assert [one.get("voucher") for one in results] == [None, "unknown"] * 250


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None), max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["email", "first_name", "referees", "token", "orders", "amount"])
            | st.text(max_size=8),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("operation", WITH_BODY)
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=st.data())
def test_no_json_whatever_is_ever_a_500(still: Still, operation: str, drawn: st.DataObject) -> None:
    """The gateway refuses any answer that is not documented, and no 500 is."""
    request = still.good[operation]
    fields = _fields(request)
    changed = drawn.draw(st.dictionaries(st.sampled_from(sorted(fields)), JSON, min_size=1))
    body = drawn.draw(st.sampled_from([fields | changed, *changed.values()]))
    still.world.ask(_filled(request, body))
