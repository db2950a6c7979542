"""Every documented refusal of an operation: its status, its stable type, and no change. Of one at
the till it is stored that it was, and nothing else is.

`REFUSALS` is held against the OpenAPI document in both directions, the refusals that all bodies
have in common left out: they are in `test_bad_bodies` and `test_other_sites`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.adapters.lists.current import CurrentLists
from chalicelib.api.operations import OPERATIONS
from chalicelib.domain.links import NEW_LINKS_A_DAY
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.ports import ContentionError
from tests.api.gateway import Request
from tests.api.requests import (
    CONFIRMATION,
    GOOD,
    HELD,
    OF_CAMPAIGN,
    PKPASS,
    PURCHASE,
    VOUCHERS,
    bearer,
    deciding,
    invitations,
    privacy_token,
    wall,
)
from tests.api.world import (
    CAMPAIGN,
    CUSTOMER,
    OTHER_VIP,
    STRANGER,
    World,
    campaign_like_demo,
    customer_list,
    posting,
)

pytestmark = pytest.mark.slow

Prepared = Callable[[World], Request]

OF_BODIES = frozenset({400, 413, 415})
OVERLONG = "A" * 3000


@dataclass(frozen=True)
class Refusal:
    """`operation` refuses what `prepared` makes with this problem; `fields` for a 422."""

    operation: str
    status: int
    problem: str
    prepared: Prepared
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def stored(self) -> list[str]:
        """The kinds of items that it stores: how often vouchers are refused is counted."""
        is_at_the_till = self.operation == "redeem_voucher" and self.status == 409
        is_counted = is_at_the_till and self.problem != "differs"
        return ["FACT", "REDEMPTION_REFUSAL"] if is_counted else []

    def __str__(self) -> str:
        name = self.prepared.__name__.strip("_")
        return f"{self.operation}-{self.status}-{self.problem}-{name}"


def _close(world: World) -> None:
    """The campaign ended yesterday."""
    world.put(campaign_like_demo(ends_on="2026-03-01"))
    world.clock.pass_by(seconds=30)  # longer than a campaign file is remembered


def _limit(world: World, **quotas: int) -> None:
    world.put(campaign_like_demo(quotas=quotas))
    world.clock.pass_by(seconds=30)


# --- campaigns and links --------------------------------------------------------------------------


def _unknown_campaign(_: World) -> Request:
    return Request("GET", "/v1/campaigns/nobodys")


def _campaign_with_a_slash(_: World) -> Request:
    return Request("GET", "/v1/campaigns/demo-vip%2F..%2Fdemo-vip")


def _campaign_with_a_key_separator(_: World) -> Request:
    return Request("GET", "/v1/campaigns/demo-vip%23IN_FORCE")


def _overlong_campaign(_: World) -> Request:
    return Request("GET", f"/v1/campaigns/{OVERLONG}")


def _dashboard_of_an_unknown_campaign(_: World) -> Request:
    return Request("GET", "/v1/ops/campaigns/nobodys/dashboard")


def _pass_of_nobody(kind: str, **headers: str) -> Prepared:
    """The token of a sign-in, which is for something else; or no session."""

    def asked(world: World) -> Request:
        token = world.sign_in_token()
        path = {"sponsors": "/v1/sponsor", "referees": f"/v1/invitations/{token}"}
        who, wallet = kind.split(" ")
        return Request("GET", f"{path[who]}/vouchers/v/{wallet}-pass", headers=headers)

    return asked


def _pass_of_an_unknown_voucher(operation: str) -> Prepared:
    def asked(world: World) -> Request:
        good = GOOD[operation](world)
        parts = good.path.split("/")
        path = "/".join([*parts[:-2], "unknown", parts[-1]])
        return Request("GET", path, headers=good.headers)

    return asked


def _pass_as_text(operation: str) -> Prepared:
    def asked(world: World) -> Request:
        good = GOOD[operation](world)
        return Request("GET", good.path, headers={**good.headers, "Accept": "*/*"})

    return asked


PASSES = [
    f"get_{who}_{wallet}_pass" for who in ("referees", "sponsors") for wallet in ("apple", "google")
]


def _wall_without_a_link(_: World) -> Request:
    return wall("no-such-link")


def _wall_of_an_overlong_campaign(world: World) -> Request:
    return wall(world.wall_link(), OVERLONG)


def _sign_in_to_an_unknown_campaign(_: World) -> Request:
    return posting("/v1/campaigns/nobodys/sign-in", {"email": STRANGER})


def _sign_in_after_the_end(world: World) -> Request:
    _close(world)
    return GOOD["sign_in"](world)


def _bad_address(_: World) -> Request:
    return posting(f"{OF_CAMPAIGN}/sign-in", {"email": "jeanne.example.fr"})


def _mistyped_address(_: World) -> Request:
    return posting(f"{OF_CAMPAIGN}/sign-in", {"email": "jeanne@gmial.com"})


def _wish_in_an_unknown_campaign(_: World) -> Request:
    body = {"campaign": "nobodys", "email": STRANGER, "wish": "export"}
    return posting("/v1/privacy/requests", body)


def _wish_of_a_bad_address(_: World) -> Request:
    body = {"campaign": CAMPAIGN, "email": "jeanne.example.fr", "wish": "erase"}
    return posting("/v1/privacy/requests", body)


def _privacy_link_of_nobody(method: str, what: str) -> Prepared:
    """The token of a sign-in, which is for something else."""

    def of_a_sign_in(world: World) -> Request:
        return Request(method, f"/v1/privacy/{world.sign_in_token()}{what}")

    return of_a_sign_in


def _erasing_with_a_link_to_the_file(world: World) -> Request:
    return Request("POST", f"/v1/privacy/{privacy_token(world, 'export')}/erasure")


def _erased(world: World) -> Request:
    pressed = GOOD["confirm_erasure"](world)
    assert world.ask(pressed).status == 202
    world.run()
    return Request("GET", pressed.path.removesuffix("/erasure"))


def _unknown_link(_: World) -> Request:
    return posting(f"{OF_CAMPAIGN}/links/2222222222/sign-up", {"email": STRANGER})


def _overlong_link(_: World) -> Request:
    return posting(f"{OF_CAMPAIGN}/links/{OVERLONG}/sign-up", {"email": STRANGER})


def _link_of_another_campaign(world: World) -> Request:
    code = world.link_code(world.sign_in())
    world.put(campaign_like_demo(campaign="another"))
    return posting(f"/v1/campaigns/another/links/{code}/sign-up", {"email": STRANGER})


def _unknown_link_seen(_: World) -> Request:
    return Request("GET", f"{OF_CAMPAIGN}/links/unknown")


def _overlong_link_seen(_: World) -> Request:
    return Request("GET", f"{OF_CAMPAIGN}/links/{'a' * 3000}")


def _sign_up_after_the_end(world: World) -> Request:
    request = GOOD["sign_up"](world)
    _close(world)
    return request


def _sign_up_where_links_are_not_a_channel(world: World) -> Request:
    request = GOOD["sign_up"](world)
    world.put(campaign_like_demo(channels=["email"]))
    world.clock.pass_by(seconds=30)
    return request


def _sign_up_over_quota(world: World) -> Request:
    request = GOOD["sign_up"](world)
    _limit(world, sign_ups_per_day=1)
    assert world.ask(request).status == 202
    return request


def _sign_up_by_a_link_that_is_used_up(world: World) -> Request:
    request = GOOD["sign_up"](world)
    _limit(world, sign_ups_per_link=0)
    return request


def _sign_up_by_a_link_that_was_replaced(world: World) -> Request:
    request = GOOD["sign_up"](world)
    assert world.ask(GOOD["renew_link"](world)).status == 201
    return request


def _sign_up_with_a_link_for_a_name(world: World) -> Request:
    path = GOOD["sign_up"](world).path
    return posting(path, {"email": STRANGER, "first_name": "win.example.com"})


# --- tokens and sessions --------------------------------------------------------------------------


def _session(token: str, campaign: str = CAMPAIGN) -> Request:
    return posting(f"/v1/campaigns/{campaign}/sessions", {"token": token})


def _garbage_token(_: World) -> Request:
    return _session("not-a-token")


def _used_token(world: World) -> Request:
    request = GOOD["open_session"](world)
    assert world.ask(request).status == 201
    return request


def _token_past_its_time(world: World) -> Request:
    request = GOOD["open_session"](world)
    world.clock.pass_by(minutes=30)
    return request


def _token_of_another_campaign(world: World) -> Request:
    return _session(world.sign_in_token(), "another")


def _token_of_another_purpose(world: World) -> Request:
    return _session(world.invited())


def _overlong_token(_: World) -> Request:
    return _session("A" * 101)


def _name_that_is_a_link(world: World) -> Request:
    body = {"token": world.sign_in_token(), "first_name": "example.com"}
    return posting(f"{OF_CAMPAIGN}/sessions", body)


def _space(authorization: str | None) -> Request:
    headers = {"Authorization": authorization} if authorization is not None else {}
    return Request("GET", "/v1/sponsor", headers=headers)


def _no_authorization(_: World) -> Request:
    return _space(None)


def _empty_authorization(_: World) -> Request:
    return _space("")


def _another_scheme(world: World) -> Request:
    return _space(f"Basic {world.sign_in()}")


def _bearer_without_a_token(_: World) -> Request:
    return _space("Bearer ")


def _overlong_bearer(_: World) -> Request:
    return _space("Bearer " + "A" * 8000)


def _bearer_outside_ascii(_: World) -> Request:
    return _space("Bearer été€")


def _sign_in_token_as_a_session(world: World) -> Request:
    return _space(bearer(world.sign_in_token()))


def _session_past_its_time(world: World) -> Request:
    session = world.sign_in()
    world.clock.pass_by(hours=12)
    return _space(bearer(session))


def _naming_without_a_session(_: World) -> Request:
    return posting("/v1/sponsor/first-name", {"first_name": "Solène"})


def _naming_after_the_brand(world: World) -> Request:
    headers = {"Authorization": bearer(world.sign_in())}
    return posting("/v1/sponsor/first-name", {"first_name": "Maison Demo"}, **headers)


def _session_that_was_ended(world: World) -> Request:
    session = world.sign_in()
    headers = {"Authorization": bearer(session)}
    assert world.ask(Request("DELETE", "/v1/sponsor/session", headers=headers)).status == 204
    return _space(bearer(session))


def _new_link_without_a_session(_: World) -> Request:
    return Request("POST", "/v1/sponsor/link")


def _new_link_after_the_end(world: World) -> Request:
    request = GOOD["renew_link"](world)
    _close(world)
    return request


def _too_many_new_links(world: World) -> Request:
    request = GOOD["renew_link"](world)
    for _ in range(NEW_LINKS_A_DAY):
        assert world.ask(request).status == 201
    return request


def _ending_no_session(_: World) -> Request:
    return Request("DELETE", "/v1/sponsor/session")


def _inviting_without_a_session(_: World) -> Request:
    return invitations(STRANGER, session="unknown")


def _preview_without_a_session(_: World) -> Request:
    return posting("/v1/sponsor/invitation-preview", {})


def _preview_after_the_end(world: World) -> Request:
    request = GOOD["preview_invitation"](world)
    _close(world)
    return request


def _inviting_after_the_end(world: World) -> Request:
    request = GOOD["invite"](world)
    _close(world)
    return request


def _inviting_over_quota(world: World) -> Request:
    session = world.sign_in()
    _limit(world, invitations_per_sponsor=2)
    assert world.ask(invitations(STRANGER, session=session)).status == 202
    return invitations(CUSTOMER, OTHER_VIP, session=session)


def _too_many_referees_for_the_campaign(world: World) -> Request:
    session = world.sign_in()
    _limit(world, referees_per_call=1)
    return invitations(STRANGER, CUSTOMER, session=session)


def _one_bad_address_among_good_ones(world: World) -> Request:
    return invitations(STRANGER, "no address", CUSTOMER, session=world.sign_in())


def _idempotency_key_of_another_request(world: World) -> Request:
    session = world.sign_in()
    assert world.ask(invitations(STRANGER, session=session, Idempotency_Key="k")).status == 202
    return invitations(CUSTOMER, session=session, Idempotency_Key="k")


def _overlong_idempotency_key(world: World) -> Request:
    return invitations(STRANGER, session=world.sign_in(), Idempotency_Key="k" * 201)


def _empty_idempotency_key(world: World) -> Request:
    return invitations(STRANGER, session=world.sign_in(), Idempotency_Key="")


# --- the referee's answer -------------------------------------------------------------------------


def _answer(token: str, answer: str) -> Request:
    if answer == "offer":
        return Request("GET", f"/v1/invitations/{token}")
    body = CONFIRMATION if answer == "confirmation" else None
    return posting(f"/v1/invitations/{token}/{answer}", body)


def _unknown_invitation(answer: str) -> Prepared:
    return lambda _: _answer("not-a-token", answer)


def _overlong_invitation(answer: str) -> Prepared:
    return lambda _: _answer("A" * 5000, answer)


def _declined_invitation(answer: str) -> Prepared:
    def prepared(world: World) -> Request:
        request = GOOD["decline_invitation"](world)
        assert world.ask(request).status == 204
        return _answer(request.path.split("/")[3], answer)

    return prepared


def _open_invitation(answer: str) -> Prepared:
    return lambda world: _answer(world.invited(), answer)


def _confirmed_invitation(answer: str) -> Prepared:
    def prepared(world: World) -> Request:
        token = world.invited()
        assert world.confirm(token).status == 201
        return _answer(token, answer)

    return prepared


def _invitation_past_its_day(answer: str) -> Prepared:
    def prepared(world: World) -> Request:
        token = world.invited()
        world.clock.pass_by(days=15)
        return _answer(token, answer)

    return prepared


def _token_of_the_sponsor(answer: str) -> Prepared:
    return lambda world: _answer(world.sign_in_token(), answer)


def _terms_not_in_force(world: World) -> Request:
    path = GOOD["confirm_invitation"](world).path
    return posting(path, CONFIRMATION | {"terms_version": "2025-12"})


# --- the client's systems -------------------------------------------------------------------------


def _unknown_voucher(_: World) -> Request:
    return Request("GET", f"{VOUCHERS}/WE-22222-22222-2222")


def _overlong_voucher(_: World) -> Request:
    return Request("GET", f"{VOUCHERS}/{OVERLONG}")


def _voucher_of_separators(_: World) -> Request:
    return Request("GET", f"{VOUCHERS}/-%20-")


def _redeeming_an_unknown_voucher(_: World) -> Request:
    return posting(f"{VOUCHERS}/WE-22222-22222-2222/redemptions", PURCHASE)


def _redeeming(**changes: str) -> Prepared:
    def prepared(world: World) -> Request:
        return posting(GOOD["redeem_voucher"](world).path, PURCHASE | changes)

    return prepared


def _redeeming_a_used_voucher(world: World) -> Request:
    request = GOOD["redeem_voucher"](world)
    assert world.ask(request).status == 201
    return posting(request.path, PURCHASE | {"order_id": "web-1002"})


def _repeating_with(**changes: str) -> Prepared:
    def prepared(world: World) -> Request:
        request = GOOD["redeem_voucher"](world)
        assert world.ask(request).status == 201
        return posting(request.path, PURCHASE | changes)

    return prepared


def _bound_voucher_of(buyer: str | None) -> Prepared:
    def prepared(world: World) -> Request:
        world.put_templates(welcome={"holder_bound": True})
        changes = {} if buyer is None else {"email_digest": buyer}
        return posting(GOOD["redeem_voucher"](world).path, PURCHASE | changes)

    return prepared


def _redeeming_beside_a_voucher_it_excludes(world: World) -> Request:
    world.put_templates(welcome={"not_with": ["welcome"]})
    for address in (STRANGER, "another.one@demo.test"):
        world.voucher(address)
    first, second = (
        posting(f"{VOUCHERS}/{voucher['printed']['S']}/redemptions", PURCHASE)
        for voucher in world.vouchers()
    )
    assert world.ask(first).status == 201
    return second


def _redeeming_again_after_a_rollback(world: World) -> Request:
    request = GOOD["roll_back_redemption"](world)
    assert world.ask(request).status == 204
    return posting(request.path.rpartition("/")[0], PURCHASE)


def _rolling_back_an_unknown_voucher(_: World) -> Request:
    return Request("DELETE", f"{VOUCHERS}/WE-22222-22222-2222/redemptions/web-1001")


def _rolling_back_what_was_not_redeemed(world: World) -> Request:
    return Request("DELETE", f"{VOUCHERS}/{world.voucher()}/redemptions/web-1001")


def _rolling_back_another_order(world: World) -> Request:
    request = GOOD["redeem_voucher"](world)
    assert world.ask(request).status == 201
    return Request("DELETE", f"{request.path}/web-1001%23")


def _rolling_back_an_overlong_order(world: World) -> Request:
    return Request("DELETE", f"{VOUCHERS}/{world.voucher()}/redemptions/{OVERLONG}")


# --- ops and marketing ----------------------------------------------------------------------------


def _held_in_an_unknown_campaign(_: World) -> Request:
    return Request("GET", "/v1/ops/campaigns/unknown/held-rewards")


def _decides(decision: str, reward: str | None = None) -> Prepared:
    """A decision on a reward that was never held, or whose name is none."""

    def prepared(world: World) -> Request:
        request = GOOD[f"{_DECISIONS[decision]}_reward"](world)
        name = reward or "0" * 32 + ".welcome.0"
        return Request("POST", f"{HELD}/{name}/{request.path.rpartition('/')[2]}")

    return prepared


def _decided_otherwise(decision: str, other: str) -> Prepared:
    def prepared(world: World) -> Request:
        request = deciding(world, other)
        assert world.ask(request).status == 204
        return Request("POST", f"{request.path.rpartition('/')[0]}/{decision}")

    return prepared


_DECISIONS = {"release": "release", "refusal": "refuse"}


ANSWERS = (
    ("get_invitation", "offer"),
    ("confirm_invitation", "confirmation"),
    ("decline_invitation", "decline"),
    ("end_consent", "consent-withdrawal"),
)

REFUSALS = [
    Refusal("get_campaign", 404, "not-found", _unknown_campaign),
    Refusal("get_campaign", 404, "not-found", _campaign_with_a_slash),
    Refusal("get_campaign", 404, "not-found", _campaign_with_a_key_separator),
    Refusal("get_campaign", 404, "not-found", _overlong_campaign),
    Refusal("get_dashboard", 404, "not-found", _dashboard_of_an_unknown_campaign),
    Refusal("get_wall", 401, "unauthorised", _wall_without_a_link),
    Refusal("get_wall", 404, "not-found", _wall_of_an_overlong_campaign),
    Refusal("list_held_rewards", 404, "not-found", _held_in_an_unknown_campaign),
    *(
        Refusal(f"{_DECISIONS[decision]}_reward", 404, "not-found", _decides(decision, name))
        for decision in _DECISIONS
        for name in (None, "nothing", "a.b.c", "a.b.1.2", "..0")
    ),
    Refusal("release_reward", 409, "refused", _decided_otherwise("release", "refusal")),
    Refusal("refuse_reward", 409, "released", _decided_otherwise("refusal", "release")),
    Refusal("sign_in", 404, "not-found", _sign_in_to_an_unknown_campaign),
    Refusal("sign_in", 409, "closed", _sign_in_after_the_end),
    Refusal("sign_in", 422, "invalid-address", _bad_address, {"email": "no_at_sign"}),
    Refusal("sign_in", 422, "invalid-address", _mistyped_address, {"email": "probably_mistyped"}),
    Refusal("get_link", 404, "not-found", _unknown_link_seen),
    Refusal("get_link", 404, "not-found", _overlong_link_seen),
    Refusal("sign_up", 404, "not-found", _unknown_link),
    Refusal("sign_up", 404, "not-found", _overlong_link),
    Refusal("sign_up", 404, "not-found", _link_of_another_campaign),
    Refusal("sign_up", 409, "closed", _sign_up_after_the_end),
    Refusal("sign_up", 409, "closed", _sign_up_where_links_are_not_a_channel),
    Refusal("sign_up", 429, "over-quota", _sign_up_over_quota),
    Refusal("sign_up", 429, "over-quota", _sign_up_by_a_link_that_is_used_up),
    Refusal("sign_up", 404, "not-found", _sign_up_by_a_link_that_was_replaced),
    Refusal("sign_up", 422, "invalid-request", _sign_up_with_a_link_for_a_name,
            {"first_name": "looks_like_a_link"}),
    Refusal("open_session", 401, "unauthorised", _garbage_token),
    Refusal("open_session", 401, "unauthorised", _used_token),
    Refusal("open_session", 401, "unauthorised", _token_past_its_time),
    Refusal("open_session", 401, "unauthorised", _token_of_another_campaign),
    Refusal("open_session", 401, "unauthorised", _token_of_another_purpose),
    Refusal("open_session", 422, "invalid-request", _overlong_token, {"token": "too_long"}),
    Refusal("open_session", 422, "invalid-request", _name_that_is_a_link,
            {"first_name": "looks_like_a_link"}),
    Refusal("renew_link", 401, "unauthorised", _new_link_without_a_session),
    Refusal("renew_link", 409, "closed", _new_link_after_the_end),
    Refusal("renew_link", 429, "over-quota", _too_many_new_links),
    Refusal("end_session", 401, "unauthorised", _ending_no_session),
    Refusal("get_sponsor", 401, "unauthorised", _session_that_was_ended),
    Refusal("get_sponsor", 401, "unauthorised", _no_authorization),
    Refusal("get_sponsor", 401, "unauthorised", _empty_authorization),
    Refusal("get_sponsor", 401, "unauthorised", _another_scheme),
    Refusal("get_sponsor", 401, "unauthorised", _bearer_without_a_token),
    Refusal("get_sponsor", 401, "unauthorised", _overlong_bearer),
    Refusal("get_sponsor", 401, "unauthorised", _bearer_outside_ascii),
    Refusal("get_sponsor", 401, "unauthorised", _sign_in_token_as_a_session),
    Refusal("get_sponsor", 401, "unauthorised", _session_past_its_time),
    Refusal("name_sponsor", 401, "unauthorised", _naming_without_a_session),
    Refusal("name_sponsor", 422, "invalid-request", _naming_after_the_brand,
            {"first_name": "not_a_person"}),
    Refusal("preview_invitation", 401, "unauthorised", _preview_without_a_session),
    Refusal("preview_invitation", 409, "closed", _preview_after_the_end),
    Refusal("invite", 401, "unauthorised", _inviting_without_a_session),
    Refusal("invite", 409, "closed", _inviting_after_the_end),
    Refusal("invite", 429, "over-quota", _inviting_over_quota),
    Refusal("invite", 422, "invalid-request", _too_many_referees_for_the_campaign,
            {"referees": "too_many"}),
    Refusal("invite", 422, "invalid-address", _one_bad_address_among_good_ones,
            {"referees[1].email": "white_space"}),
    Refusal("invite", 422, "invalid-request", _idempotency_key_of_another_request,
            {"Idempotency-Key": "used_for_another_request"}),
    Refusal("invite", 422, "invalid-request", _overlong_idempotency_key,
            {"Idempotency-Key": "wrong_length"}),
    Refusal("invite", 422, "invalid-request", _empty_idempotency_key,
            {"Idempotency-Key": "wrong_length"}),
    *(
        Refusal(operation, 410, "over", prepared(answer))
        for operation, answer in ANSWERS
        for prepared in (
            _unknown_invitation, _overlong_invitation, _invitation_past_its_day,
            _token_of_the_sponsor,
        )
    ),
    *(Refusal(one, 404, "not-found", _pass_of_an_unknown_voucher(one)) for one in PASSES),
    *(Refusal(one, 406, "not-acceptable", _pass_as_text(one)) for one in PASSES if "apple" in one),
    Refusal("get_sponsors_apple_pass", 401, "unauthorised",
            _pass_of_nobody("sponsors apple", Accept=PKPASS)),
    Refusal("get_sponsors_google_pass", 401, "unauthorised", _pass_of_nobody("sponsors google")),
    Refusal("get_referees_apple_pass", 410, "over",
            _pass_of_nobody("referees apple", Accept=PKPASS)),
    Refusal("get_referees_google_pass", 410, "over", _pass_of_nobody("referees google")),
    Refusal("make_privacy_request", 404, "not-found", _wish_in_an_unknown_campaign),
    Refusal("make_privacy_request", 422, "invalid-address", _wish_of_a_bad_address,
            {"email": "no_at_sign"}),
    Refusal("get_privacy_request", 410, "over", _privacy_link_of_nobody("GET", "")),
    Refusal("get_privacy_request", 410, "over", _erased),
    Refusal("take_file", 410, "over", _privacy_link_of_nobody("POST", "/file")),
    Refusal("confirm_erasure", 410, "over", _privacy_link_of_nobody("POST", "/erasure")),
    Refusal("confirm_erasure", 410, "over", _erasing_with_a_link_to_the_file),
    Refusal("get_invitation", 410, "over", _declined_invitation("offer")),
    Refusal("confirm_invitation", 410, "over", _declined_invitation("confirmation")),
    Refusal("decline_invitation", 410, "over", _confirmed_invitation("decline")),
    Refusal("end_consent", 410, "over", _declined_invitation("consent-withdrawal")),
    Refusal("end_consent", 410, "over", _open_invitation("consent-withdrawal")),
    Refusal("confirm_invitation", 422, "invalid-request", _terms_not_in_force,
            {"terms_version": "not_in_force"}),
    Refusal("get_voucher", 404, "not-found", _unknown_voucher),
    Refusal("get_voucher", 404, "not-found", _overlong_voucher),
    Refusal("get_voucher", 404, "not-found", _voucher_of_separators),
    Refusal("redeem_voucher", 404, "not-found", _redeeming_an_unknown_voucher),
    Refusal("redeem_voucher", 409, "exhausted", _redeeming_a_used_voucher),
    Refusal("redeem_voucher", 409, "rolled-back", _redeeming_again_after_a_rollback),
    Refusal("redeem_voucher", 409, "expired",
            _redeeming(ordered_at="2026-05-02T00:00:00+02:00")),
    Refusal("redeem_voucher", 409, "not-yet-valid",
            _redeeming(ordered_at="2026-03-01T23:49:59+01:00")),
    Refusal("redeem_voucher", 409, "below-minimum-basket", _redeeming(amount="39.99")),
    Refusal("redeem_voucher", 409, "wrong-currency", _redeeming(currency="CHF")),
    Refusal("redeem_voucher", 409, "differs", _repeating_with(amount="80.01")),
    Refusal("redeem_voucher", 409, "differs", _repeating_with(currency="CHF")),
    Refusal("redeem_voucher", 409, "not-the-holder", _bound_voucher_of(None)),
    Refusal("redeem_voucher", 409, "not-the-holder", _bound_voucher_of("0" * 64)),
    Refusal("redeem_voucher", 409, "not-with-other-voucher",
            _redeeming_beside_a_voucher_it_excludes),
    Refusal("redeem_voucher", 422, "invalid-request", _redeeming(email_digest="jeanne@demo.test"),
            {"email_digest": "plain_address"}),
    Refusal("redeem_voucher", 422, "invalid-request", _redeeming(ordered_at="2026-03-02T11:00:00"),
            {"ordered_at": "without_offset"}),
    Refusal("redeem_voucher", 422, "invalid-request", _redeeming(amount="-42.50"),
            {"amount": "invalid"}),
    Refusal("redeem_voucher", 422, "invalid-request", _redeeming(order_id="4.68769E+11"),
            {"order_id": "damaged"}),
    Refusal("roll_back_redemption", 404, "not-found", _rolling_back_an_unknown_voucher),
    Refusal("roll_back_redemption", 404, "not-found", _rolling_back_an_overlong_order),
    Refusal("roll_back_redemption", 409, "not-redeemed", _rolling_back_what_was_not_redeemed),
    Refusal("roll_back_redemption", 409, "not-redeemed", _rolling_back_another_order),
]  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_a_refusal_is_as_documented_and_changes_nothing(world: World, refusal: Refusal) -> None:
    request = refusal.prepared(world)
    world.run()
    table = world.table()
    answer = world.ask(request)
    assert (answer.status, answer.problem) == (refusal.status, refusal.problem)
    if refusal.status == 422:
        assert answer.fields == refusal.fields
    after = world.table()
    assert [item for item in table if item not in after] == []
    assert [item["kind"]["S"] for item in after if item not in table] == refusal.stored


def test_every_refusal_in_the_document_is_here_and_every_one_here_is_in_the_document() -> None:
    documented = {
        (operation.name, status)
        for operation in OPERATIONS
        for status in operation.refusals
        if status not in OF_BODIES | {403, 422, 503}
    }
    tried = {(one.operation, one.status) for one in REFUSALS if one.status != 422}
    assert tried == documented


@pytest.mark.parametrize(
    "operation", [one.name for one in OPERATIONS if one.writes]
)  # fmt: skip
def test_when_the_table_is_contended_nothing_is_changed_and_the_caller_may_try_again(
    world: World, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contended(*_: object, **__: object) -> None:
        raise ContentionError

    request = GOOD[operation](world)
    table = world.table()
    monkeypatch.setattr(DynamoRepository, "commit", contended)
    answer = world.ask(request)
    if operation == "post_orders":
        assert answer.json()["results"][0]["status"] == 503
    else:
        assert (answer.status, answer.problem) == (503, "unavailable")
        assert answer.headers["retry-after"] == "30"
    assert world.table() == table


def test_without_a_trustworthy_customer_list_nobody_is_confirmed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 3: fail closed."""

    def unknown(*_: object, **__: object) -> None:
        raise ListUnavailableError("read_failed")

    request = GOOD["confirm_invitation"](world)
    table = world.table()
    monkeypatch.setattr(CurrentLists, "find", unknown)
    assert world.ask(request).status == 503
    assert world.table() == table


def test_a_referee_who_became_a_customer_cannot_confirm(world: World) -> None:
    """Law 3."""
    token = world.invited()
    world.drop("customers/full/new.csv", customer_list(CUSTOMER, STRANGER))
    world.clock.pass_by(seconds=61)  # longer than the pointer to a list is remembered
    assert world.confirm(token).status == 410
    assert not world.vouchers()


def test_an_unexpected_error_is_500_without_details(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(STRANGER)

    monkeypatch.setattr(DynamoRepository, "get", broken)
    with pytest.raises(AssertionError, match="does not promise 500") as reported:
        world.get("/v1/campaigns/another")
    assert STRANGER not in str(reported.value)
    assert "urn:tandem:problem:internal" in str(reported.value)


def test_a_mistyped_address_comes_with_a_suggestion_and_can_be_insisted_on(world: World) -> None:
    answer = world.ask(_mistyped_address(world))
    assert answer.json()["suggestion"] == "jeanne@gmail.com"
    assert answer.json()["errors"][0]["suggestion"] == "jeanne@gmail.com"
    body = {"email": "jeanne@gmial.com", "as_typed": True}
    assert world.post(f"{OF_CAMPAIGN}/sign-in", body).status == 202
