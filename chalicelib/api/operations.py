"""Every operation of the HTTP API: its path, its security, its request and its answers.

The routes are registered from this table and the OpenAPI document is generated from it, so the two
cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from chalicelib.api import models

Security = Literal["public", "session", "client", "ops"]


@dataclass(frozen=True)
class Operation:
    """One operation. `answers` by status (None: an empty body); `problems`: its own refusals;
    `max_body_kb`: the size limit of a body.
    """

    name: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    summary: str
    security: Security
    answers: Mapping[int, type[BaseModel] | None]
    problems: tuple[int, ...] = ()
    request: type[BaseModel] | None = None
    max_body_kb: int = 64

    @property
    def refusals(self) -> tuple[int, ...]:
        """The statuses of all its problems: its own, and those of all calls like it."""
        body = (400, 415, 422) if self.request else ()
        sent = (413,) if self.method == "POST" else ()
        write = () if self.method == "GET" else (503,)
        return tuple(sorted({*self.problems, *body, *sent, *write}))


CAMPAIGN = "/v1/campaigns/{campaign}"
VOUCHER = "/v1/client/vouchers/{code}"

GET_CAMPAIGN = Operation(
    "get_campaign", "GET", CAMPAIGN, "A campaign, as the pages need it", "public",
    {200: models.CampaignAnswer}, (404,),
)  # fmt: skip
SIGN_IN = Operation(
    "sign_in", "POST", f"{CAMPAIGN}/sign-in", "Mail a sign-in link if the address is a VIP's",
    "public", {202: models.Accepted}, (404, 409), models.SignInRequest,
)  # fmt: skip
OPEN_SESSION = Operation(
    "open_session", "POST", f"{CAMPAIGN}/sessions", "Exchange a mailed token for a session",
    "public", {201: models.SessionAnswer}, (401,), models.SessionRequest,
)  # fmt: skip
SIGN_UP = Operation(
    "sign_up", "POST", f"{CAMPAIGN}/links/{{link_code}}/sign-up",
    "Sign up by a shared link: mail a confirmation link if eligible", "public",
    {202: models.Accepted}, (404, 409, 429), models.SignUpRequest,
)  # fmt: skip
GET_INVITATION = Operation(
    "get_invitation", "GET", "/v1/invitations/{token}",
    "The offer and the sponsor's first name; has no effect", "public",
    {200: models.OfferAnswer}, (410,),
)  # fmt: skip
CONFIRM = Operation(
    "confirm_invitation", "POST", "/v1/invitations/{token}/confirmation", "Confirm", "public",
    {201: models.ConfirmationAnswer, 200: models.ConfirmationAnswer}, (410,),
    models.ConfirmationRequest,
)  # fmt: skip
DECLINE = Operation(
    "decline_invitation", "POST", "/v1/invitations/{token}/decline",
    "Decline an invitation; the address is erased", "public", {204: None}, (410,),
)  # fmt: skip
UNSUBSCRIBE = Operation(
    "unsubscribe", "POST", "/v1/unsubscribe/{token}", "RFC 8058 one-click, and the page's button",
    "public", {200: models.UnsubscribeAnswer},
)  # fmt: skip
GET_SPONSOR = Operation(
    "get_sponsor", "GET", "/v1/sponsor", "The sponsor's own space", "session",
    {200: models.SponsorAnswer}, (401,),
)  # fmt: skip
INVITE = Operation(
    "invite", "POST", "/v1/sponsor/invitations", "Invite people", "session",
    {202: models.InvitationsAnswer}, (401, 409, 429), models.InvitationsRequest,
)  # fmt: skip
GET_VOUCHER = Operation(
    "get_voucher", "GET", VOUCHER, "Whether a voucher would be accepted, and if not, why", "client",
    {200: models.VoucherAnswer}, (404,),
)  # fmt: skip
REDEEM = Operation(
    "redeem_voucher", "POST", f"{VOUCHER}/redemptions", "Use a voucher on an order", "client",
    {201: models.RedemptionAnswer, 200: models.RedemptionAnswer}, (404, 409),
    models.RedemptionRequest,
)  # fmt: skip
ROLL_BACK = Operation(
    "roll_back_redemption", "DELETE", f"{VOUCHER}/redemptions/{{order_id}}",
    "Roll a redemption back", "client", {204: None}, (404, 409),
)  # fmt: skip
POST_ORDERS = Operation(
    "post_orders", "POST", "/v1/client/orders", "Report orders, as in the order file", "client",
    {207: models.OrdersAnswer}, (), models.OrdersRequest, max_body_kb=256,  # 500 of the longest
)  # fmt: skip
GET_DASHBOARD = Operation(
    "get_dashboard", "GET", "/v1/ops/campaigns/{campaign}/dashboard", "The live figures", "ops",
    {200: models.DashboardAnswer}, (404,),
)  # fmt: skip
GET_OPENAPI = Operation(
    "get_openapi", "GET", "/v1/openapi.json", "This document", "public",
    {200: models.DescriptionAnswer},
)  # fmt: skip

OPERATIONS = (
    GET_CAMPAIGN, SIGN_IN, OPEN_SESSION, SIGN_UP, GET_INVITATION, CONFIRM, DECLINE, UNSUBSCRIBE,
    GET_SPONSOR, INVITE, GET_VOUCHER, REDEEM, ROLL_BACK, POST_ORDERS, GET_DASHBOARD, GET_OPENAPI,
)  # fmt: skip
