"""One good request per operation, and what has to happen before it can be made.

`GOOD[name](world)` plays the story up to that point and returns the request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.api.gateway import Request
from tests.api.world import CAMPAIGN, STRANGER, VIP, World, posting

Prepared = Callable[[World], Request]

OF_CAMPAIGN = f"/v1/campaigns/{CAMPAIGN}"
VOUCHERS = "/v1/client/vouchers"
CONFIRMATION = {"terms_version": "2026-01", "marketing_consent": True}
PURCHASE = {
    "order_id": "web-1001",
    "ordered_at": "2026-03-02T11:00:00+01:00",
    "amount": "42.50",
    "currency": "EUR",
}


def bearer(session: str) -> str:
    """The value of `Authorization`."""
    return f"Bearer {session}"


def invitations(*addresses: str, session: str, **headers: str) -> Request:
    """A sponsor invites these."""
    body = {"referees": [{"email": address} for address in addresses]}
    headers = {"Authorization": bearer(session), **headers}
    return posting("/v1/sponsor/invitations", body, **headers)


def _sign_in(_: World) -> Request:
    return posting(f"{OF_CAMPAIGN}/sign-in", {"email": VIP})


def _open_session(world: World) -> Request:
    body = {"token": world.sign_in_token(), "first_name": "Solène"}
    return posting(f"{OF_CAMPAIGN}/sessions", body)


def _get_link(world: World) -> Request:
    return Request("GET", f"{OF_CAMPAIGN}/links/{world.link_code(world.sign_in())}")


def _open_link(world: World) -> Request:
    return Request("GET", f"/p/{world.link_code(world.sign_in())}")


def _preview_invitation(world: World) -> Request:
    headers = {"Authorization": bearer(world.sign_in())}
    return posting("/v1/sponsor/invitation-preview", {"first_name": "Jeanne"}, **headers)


def _sign_up(world: World) -> Request:
    code = world.link_code(world.sign_in())
    return posting(f"{OF_CAMPAIGN}/links/{code}/sign-up", {"email": STRANGER})


def _get_invitation(world: World) -> Request:
    return Request("GET", f"/v1/invitations/{world.invited()}")


def _confirm(world: World) -> Request:
    return posting(f"/v1/invitations/{world.invited()}/confirmation", CONFIRMATION)


def _decline(world: World) -> Request:
    return posting(f"/v1/invitations/{world.invited()}/decline")


def _end_consent(world: World) -> Request:
    token = world.invited()
    world.ask(posting(f"/v1/invitations/{token}/confirmation", CONFIRMATION))
    return posting(f"/v1/invitations/{token}/consent-withdrawal")


def unsubscribe_path(world: World) -> str:
    """What the header of a referee's last mail names."""
    world.invited()
    return f"/v1/unsubscribe/{world.last_to(STRANGER).token('/v1/unsubscribe/')}"


def _unsubscribe(world: World) -> Request:
    # As a mail program does it, RFC 8058.
    typed = {"Content-Type": "application/x-www-form-urlencoded"}
    return Request("POST", unsubscribe_path(world), b"List-Unsubscribe=One-Click", typed)


def _open_unsubscribe(world: World) -> Request:
    return Request("GET", unsubscribe_path(world))


def _unsubscribe_page(world: World) -> Request:
    return Request("GET", f"{unsubscribe_path(world)}/page")


def privacy_token(world: World, wish: str) -> str:
    """The token of a sponsor's link to her data, or to their erasure."""
    world.sign_in()
    body = {"campaign": CAMPAIGN, "email": VIP, "wish": wish}
    assert world.post("/v1/privacy/requests", body).status == 202
    world.run()
    return world.last_to(VIP).token("/privacy/?campaign=demo-vip#token=")


def _make_privacy_request(_: World) -> Request:
    body = {"campaign": CAMPAIGN, "email": VIP, "wish": "export"}
    return posting("/v1/privacy/requests", body)


def _get_privacy_request(world: World) -> Request:
    return Request("GET", f"/v1/privacy/{privacy_token(world, 'erase')}")


def _take_file(world: World) -> Request:
    """The file is made by now."""
    request = Request("POST", f"/v1/privacy/{privacy_token(world, 'export')}/file")
    assert world.ask(request).status == 202
    world.run()
    return request


def _confirm_erasure(world: World) -> Request:
    return Request("POST", f"/v1/privacy/{privacy_token(world, 'erase')}/erasure")


def _stop_sign_ins(world: World) -> Request:
    world.sign_in_token()
    token = world.last_to(VIP).token(f"/sign-in-stop/?campaign={CAMPAIGN}#token=")
    return Request("POST", f"/v1/sign-in-stops/{token}")


def _resume_sign_ins(world: World) -> Request:
    stopped = _stop_sign_ins(world)
    assert world.ask(stopped).status == 204
    return Request("DELETE", stopped.path)


def _get_sponsor(world: World) -> Request:
    return Request("GET", "/v1/sponsor", headers={"Authorization": bearer(world.sign_in())})


def _name_sponsor(world: World) -> Request:
    headers = {"Authorization": bearer(world.sign_in())}
    return posting("/v1/sponsor/first-name", {"first_name": "Solène"}, **headers)


def _invite(world: World) -> Request:
    return invitations(STRANGER, session=world.sign_in())


def _renew_link(world: World) -> Request:
    headers = {"Authorization": bearer(world.sign_in())}
    return Request("POST", "/v1/sponsor/link", headers=headers)


def _end_session(world: World) -> Request:
    headers = {"Authorization": bearer(world.sign_in())}
    return Request("DELETE", "/v1/sponsor/session", headers=headers)


def _get_voucher(world: World) -> Request:
    return Request("GET", f"{VOUCHERS}/{world.voucher()}")


def _redeem(world: World) -> Request:
    return posting(f"{VOUCHERS}/{world.voucher()}/redemptions", PURCHASE)


PKPASS = "application/vnd.apple.pkpass"


def _referees_apple_pass(world: World) -> Request:
    world.vouchers_at_once()
    world.voucher()
    invitation = f"/v1/invitations/{world.mailed_token(STRANGER)}"
    [voucher] = world.get(invitation).json()["vouchers"]
    path = f"{invitation}/vouchers/{voucher['id']}/apple-pass"
    return Request("GET", path, headers={"Accept": PKPASS})


def _sponsors_apple_pass(world: World) -> Request:
    world.vouchers_at_once()
    world.voucher()
    session = bearer(world.sign_in())
    [voucher] = world.get("/v1/sponsor", Authorization=session).json()["vouchers"]
    path = f"/v1/sponsor/vouchers/{voucher['id']}/apple-pass"
    return Request("GET", path, headers={"Accept": PKPASS, "Authorization": session})


def google(asked: Request) -> Request:
    """The same voucher for the other wallet."""
    headers = {**asked.headers, "Accept": "application/json"}
    return Request("GET", asked.path.replace("apple-pass", "google-pass"), headers=headers)


def _roll_back(world: World) -> Request:
    redemption = _redeem(world)
    assert world.ask(redemption).status == 201
    return Request("DELETE", f"{redemption.path}/{PURCHASE['order_id']}")


def _post_orders(world: World) -> Request:
    order = PURCHASE | {"voucher_code": world.voucher(), "status": "placed"}
    return posting("/v1/client/orders", {"orders": [order]})


HELD = f"/v1/ops/campaigns/{CAMPAIGN}/held-rewards"


def _list_held(world: World) -> Request:
    world.held_reward()
    return Request("GET", HELD)


def wall(token: str, campaign: str = CAMPAIGN) -> Request:
    """What a screen with that link asks for."""
    return Request(
        "GET", f"/v1/campaigns/{campaign}/wall", headers={"Authorization": bearer(token)}
    )


def deciding(world: World, decision: str) -> Request:
    """The decision on a reward that is held."""
    return Request("POST", f"{HELD}/{world.held_reward()}/{decision}")


GOOD: Mapping[str, Prepared] = {
    "get_campaign": lambda _: Request("GET", OF_CAMPAIGN),
    "sign_in": _sign_in,
    "open_session": _open_session,
    "get_link": _get_link,
    "open_link": _open_link,
    "sign_up": _sign_up,
    "get_invitation": _get_invitation,
    "get_referees_apple_pass": _referees_apple_pass,
    "get_referees_google_pass": lambda world: google(_referees_apple_pass(world)),
    "confirm_invitation": _confirm,
    "decline_invitation": _decline,
    "end_consent": _end_consent,
    "unsubscribe": _unsubscribe,
    "open_unsubscribe": _open_unsubscribe,
    "unsubscribe_page": _unsubscribe_page,
    "make_privacy_request": _make_privacy_request,
    "get_privacy_request": _get_privacy_request,
    "take_file": _take_file,
    "confirm_erasure": _confirm_erasure,
    "stop_sign_ins": _stop_sign_ins,
    "resume_sign_ins": _resume_sign_ins,
    "get_sponsor": _get_sponsor,
    "get_sponsors_apple_pass": _sponsors_apple_pass,
    "get_sponsors_google_pass": lambda world: google(_sponsors_apple_pass(world)),
    "name_sponsor": _name_sponsor,
    "preview_invitation": _preview_invitation,
    "invite": _invite,
    "renew_link": _renew_link,
    "end_session": _end_session,
    "get_voucher": _get_voucher,
    "redeem_voucher": _redeem,
    "roll_back_redemption": _roll_back,
    "post_orders": _post_orders,
    "list_campaigns": lambda _: Request("GET", "/v1/ops/campaigns"),
    "get_dashboard": lambda _: Request("GET", f"/v1/ops/campaigns/{CAMPAIGN}/dashboard"),
    "get_wall": lambda world: wall(world.wall_link()),
    "list_held_rewards": _list_held,
    "release_reward": lambda world: deciding(world, "release"),
    "refuse_reward": lambda world: deciding(world, "refusal"),
    "get_openapi": lambda _: Request("GET", "/v1/openapi.json"),
}
