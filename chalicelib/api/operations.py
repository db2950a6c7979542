"""Every operation of the HTTP API: its path, its security, its request and its answers.

The routes are registered from this table and the OpenAPI document is generated from it, so the two
cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from chalicelib.api import campaign_models, client_models, models, ops_models
from chalicelib.api.fields import REVIEWED
from chalicelib.domain.vouchers import VoucherProblem

Security = Literal["public", "session", "wall", "client", "ops"]
Role = Literal["marketing", "ops"]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation. `answers` by status (None: an empty body); `problems`: its own refusals;
    `max_body_kb`: the size limit of a body. `html`: what it answers may be a page.
    `binary`: what it answers is a file of that type, in place of JSON.
    `mail_programs`: these post it too, from anywhere, with any body; nothing else is called from
    pages of other sites. `roles`: who of the ops pool may call it, each a group of the pool.
    `reasons`: why the state of a voucher or a reward may forbid it, with 409.
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
    html: bool = False
    binary: str | None = None
    mail_programs: bool = False
    reads_alone: bool = False
    roles: tuple[Role, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def refusals(self) -> tuple[int, ...]:
        """The statuses of all its problems: its own, and those of all calls like it."""
        body = (400, 422) if self.request else ()
        sent = (413,) if self.method == "POST" else ()
        accepted = (406,) if self.binary else ()
        typed = (415,) if self.takes_json_alone else ()
        is_kept = self.acts_for_own_site or self.at_pages_address_alone or self.roles
        kept_out = (403,) if is_kept else ()
        write = (503,) if self.writes else ()
        return tuple(sorted({*self.problems, *body, *sent, *accepted, *typed, *kept_out, *write}))

    @property
    def methods(self) -> tuple[str, ...]:
        """Its method, and HEAD for what is opened in a browser: link checkers and the crawlers of
        chat programs ask so before they show a link, and API Gateway knows no HEAD by itself.
        """
        is_opened = self.method == "GET" and (self.html or 303 in self.answers)
        return ("GET", "HEAD") if is_opened else (self.method,)

    @property
    def writes(self) -> bool:
        """Whether it changes anything: a POST may also ask, with what is not to be in a path."""
        return self.method != "GET" and not self.reads_alone

    @property
    def takes_json_alone(self) -> bool:
        """Whether a body must say that it is JSON. What does not say so, the page of any site may
        have a browser send.
        """
        return self.method == "POST" and not self.mail_programs

    @property
    def at_pages_address_alone(self) -> bool:
        """Whether neither a signature nor the ops pool guards it, so that only what limits each
        caller's address does.
        """
        return self.security in ("public", "session", "wall")

    @property
    def acts_for_own_site(self) -> bool:
        """Whether it refuses what a browser sends for the page of another site."""
        return self.method != "GET" and not self.mail_programs


NOT_REDEEMED = VoucherProblem.NOT_REDEEMED
PKPASS = "application/vnd.apple.pkpass"
CAMPAIGN = "/v1/campaigns/{campaign}"
VOUCHER = "/v1/client/vouchers/{code}"
SHORT_LINK = "/p/"  # what a sponsor shares, so that a QR code has few modules

GET_CAMPAIGN = Operation(
    name="get_campaign", method="GET", path=CAMPAIGN,
    summary="A campaign, as the pages need it",
    security="public", answers={200: campaign_models.CampaignAnswer}, problems=(404,),
)  # fmt: skip
SIGN_IN = Operation(
    name="sign_in", method="POST", path=f"{CAMPAIGN}/sign-in",
    summary="Mail a sign-in link if the address is a VIP's",
    security="public", answers={202: models.Accepted}, problems=(404, 409),
    request=models.SignInRequest,
)  # fmt: skip
OPEN_SESSION = Operation(
    name="open_session", method="POST", path=f"{CAMPAIGN}/sessions",
    summary="Exchange a mailed token for a session",
    security="public", answers={201: models.SessionAnswer}, problems=(401,),
    request=models.SessionRequest,
)  # fmt: skip
GET_LINK = Operation(
    name="get_link", method="GET", path=f"{CAMPAIGN}/links/{{link_code}}",
    summary="A shared link: the first name of the sponsor who shares it; has no effect",
    security="public", answers={200: models.SharedLinkAnswer}, problems=(404,),
)  # fmt: skip
OPEN_LINK = Operation(
    name="open_link", method="GET", path=f"{SHORT_LINK}{{link_code}}",
    summary="The page of a shared link, with a card for messengers; has no effect",
    security="public", answers={200: None, 404: None, 503: None}, html=True,
)  # fmt: skip
SIGN_UP = Operation(
    name="sign_up", method="POST", path=f"{CAMPAIGN}/links/{{link_code}}/sign-up",
    summary="Sign up by a shared link: mail a confirmation link if eligible",
    security="public", answers={202: models.Accepted}, problems=(404, 409, 429),
    request=models.SignUpRequest,
)  # fmt: skip
GET_INVITATION = Operation(
    name="get_invitation", method="GET", path="/v1/invitations/{token}",
    summary="The offer and the sponsor's first name; has no effect",
    security="public", answers={200: models.OfferAnswer}, problems=(410,),
)  # fmt: skip
REFEREES_APPLE_PASS = Operation(
    name="get_referees_apple_pass", method="GET",
    path="/v1/invitations/{token}/vouchers/{voucher}/apple-pass",
    summary="The referee's voucher as a pass of Apple Wallet; writes nothing",
    security="public", answers={200: None}, binary=PKPASS, problems=(404, 410, 503),
)  # fmt: skip
REFEREES_GOOGLE_PASS = Operation(
    name="get_referees_google_pass", method="GET",
    path="/v1/invitations/{token}/vouchers/{voucher}/google-pass",
    summary="The link that adds the referee's voucher to Google Wallet; writes nothing",
    security="public", answers={200: models.PassLinkAnswer}, problems=(404, 410, 503),
)  # fmt: skip
CONFIRM = Operation(
    name="confirm_invitation", method="POST", path="/v1/invitations/{token}/confirmation",
    summary="Confirm",
    security="public", answers={201: models.ConfirmationAnswer, 200: models.ConfirmationAnswer},
    problems=(410,),
    request=models.ConfirmationRequest,
)  # fmt: skip
DECLINE = Operation(
    name="decline_invitation", method="POST", path="/v1/invitations/{token}/decline",
    summary="Decline an invitation; the address is erased",
    security="public", answers={204: None}, problems=(410,),
)  # fmt: skip
END_CONSENT = Operation(
    name="end_consent", method="POST", path="/v1/invitations/{token}/consent-withdrawal",
    summary="Take back the consent to marketing mails that was given with the confirmation",
    security="public", answers={204: None}, problems=(410,),
)  # fmt: skip
UNSUBSCRIBE = Operation(
    name="unsubscribe", method="POST", path="/v1/unsubscribe/{token}",
    summary="RFC 8058 one-click; or with `scope`: `invitations` (the default) or `all`",
    security="public", answers={200: models.UnsubscribeAnswer}, html=True, mail_programs=True,
)  # fmt: skip
OPEN_UNSUBSCRIBE = Operation(
    name="open_unsubscribe", method="GET", path="/v1/unsubscribe/{token}",
    summary="Where a mail program without one-click finds the page; has no effect",
    security="public", answers={303: None},
)  # fmt: skip
UNSUBSCRIBE_PAGE = Operation(
    name="unsubscribe_page", method="GET", path="/v1/unsubscribe/{token}/page",
    summary="The page to unsubscribe; has no effect",
    security="public", answers={200: None, 503: None}, html=True,
)  # fmt: skip
MAKE_PRIVACY_REQUEST = Operation(
    name="make_privacy_request", method="POST", path="/v1/privacy/requests",
    summary="Mail a link to one's data, or to their erasure, if anything is known of the address",
    security="public", answers={202: models.Accepted}, problems=(404,),
    request=models.PrivacyRequestBody,
)  # fmt: skip
GET_PRIVACY_REQUEST = Operation(
    name="get_privacy_request", method="GET", path="/v1/privacy/{token}",
    summary="What a mailed link is for; has no effect",
    security="public", answers={200: models.PrivacyRequestAnswer}, problems=(410,),
)  # fmt: skip
TAKE_FILE = Operation(
    name="take_file", method="POST", path="/v1/privacy/{token}/file",
    summary="The file of all that is known of the person; 202 while it is made behind a queue",
    security="public", answers={200: models.PersonFileAnswer, 202: models.PreparingAnswer},
    problems=(410,),
)  # fmt: skip
CONFIRM_ERASURE = Operation(
    name="confirm_erasure", method="POST", path="/v1/privacy/{token}/erasure",
    summary="Have everything erased that is known of the person; done behind a queue",
    security="public", answers={202: models.ErasureAnswer}, problems=(410,),
)  # fmt: skip
STOP_SIGN_INS = Operation(
    name="stop_sign_ins", method="POST", path="/v1/sign-in-stops/{token}",
    summary="“This was not me”: mail no such link, to sign in or to one's data, for some time",
    security="public", answers={204: None},
)  # fmt: skip
RESUME_SIGN_INS = Operation(
    name="resume_sign_ins", method="DELETE", path="/v1/sign-in-stops/{token}",
    summary="Mail such links again",
    security="public", answers={204: None},
)  # fmt: skip
GET_SPONSOR = Operation(
    name="get_sponsor", method="GET", path="/v1/sponsor",
    summary="The sponsor's own space",
    security="session", answers={200: models.SponsorAnswer}, problems=(401,),
)  # fmt: skip
SPONSORS_APPLE_PASS = Operation(
    name="get_sponsors_apple_pass", method="GET",
    path="/v1/sponsor/vouchers/{voucher}/apple-pass",
    summary="The sponsor's voucher as a pass of Apple Wallet; writes nothing",
    security="session", answers={200: None}, binary=PKPASS, problems=(401, 404, 503),
)  # fmt: skip
SPONSORS_GOOGLE_PASS = Operation(
    name="get_sponsors_google_pass", method="GET",
    path="/v1/sponsor/vouchers/{voucher}/google-pass",
    summary="The link that adds the sponsor's voucher to Google Wallet; writes nothing",
    security="session", answers={200: models.PassLinkAnswer}, problems=(401, 404, 503),
)  # fmt: skip
NAME_SPONSOR = Operation(
    name="name_sponsor", method="POST", path="/v1/sponsor/first-name",
    summary="Give the first name that invitations are signed with",
    security="session", answers={204: None}, problems=(401,),
    request=models.FirstNameRequest,
)  # fmt: skip
INVITE = Operation(
    name="invite", method="POST", path="/v1/sponsor/invitations",
    summary="Invite people",
    security="session", answers={202: models.InvitationsAnswer}, problems=(401, 409, 429),
    request=models.InvitationsRequest,
)  # fmt: skip
PREVIEW_INVITATION = Operation(
    name="preview_invitation", method="POST", path="/v1/sponsor/invitation-preview",
    summary="The mail that an invitation would send; sends and stores nothing",
    security="session", answers={200: models.PreviewAnswer}, problems=(401, 409),
    request=models.PreviewRequest, reads_alone=True,
)  # fmt: skip
RENEW_LINK = Operation(
    name="renew_link", method="POST", path="/v1/sponsor/link",
    summary="A new link; the old one ends",
    security="session", answers={201: models.LinkAnswer}, problems=(401, 409, 429),
)  # fmt: skip
END_SESSION = Operation(
    name="end_session", method="DELETE", path="/v1/sponsor/session",
    summary="Sign out: the session ends",
    security="session", answers={204: None}, problems=(401,),
)  # fmt: skip
GET_VOUCHER = Operation(
    name="get_voucher", method="GET", path=VOUCHER,
    summary="Whether a voucher would be accepted, and if not, why",
    security="client", answers={200: client_models.VoucherAnswer}, problems=(404,),
)  # fmt: skip
REDEEM = Operation(
    name="redeem_voucher", method="POST", path=f"{VOUCHER}/redemptions",
    summary="Use a voucher on an order",
    security="client",
    answers={201: client_models.RedemptionAnswer, 200: client_models.RedemptionAnswer},
    problems=(404, 409), reasons=tuple(one for one in VoucherProblem if one != NOT_REDEEMED),
    request=client_models.RedemptionRequest,
)  # fmt: skip
ROLL_BACK = Operation(
    name="roll_back_redemption", method="DELETE", path=f"{VOUCHER}/redemptions/{{order_id}}",
    summary="Roll a redemption back",
    security="client", answers={204: None}, problems=(404, 409), reasons=(NOT_REDEEMED,),
)  # fmt: skip
POST_ORDERS = Operation(
    name="post_orders", method="POST", path="/v1/client/orders",
    summary="Report orders, as in the order file",
    security="client", answers={207: client_models.OrdersAnswer},
    request=client_models.OrdersRequest, max_body_kb=256,  # 500 of the longest orders
)  # fmt: skip
LIST_CAMPAIGNS = Operation(
    name="list_campaigns", method="GET", path="/v1/ops/campaigns",
    summary="The campaigns whose dashboard the account may see: all of them",
    security="ops", answers={200: ops_models.CampaignsAnswer}, roles=("marketing", "ops"),
)  # fmt: skip
GET_DASHBOARD = Operation(
    name="get_dashboard", method="GET", path="/v1/ops/campaigns/{campaign}/dashboard",
    summary="The live figures",
    security="ops", answers={200: ops_models.DashboardAnswer}, problems=(404,),
    roles=("marketing", "ops"),
)  # fmt: skip
GET_WALL = Operation(
    name="get_wall", method="GET", path=f"{CAMPAIGN}/wall",
    summary="The live figures, for a screen that has a wall link",
    security="wall", answers={200: ops_models.DashboardAnswer}, problems=(401, 404),
)  # fmt: skip
HELD_REWARDS = "/v1/ops/campaigns/{campaign}/held-rewards"
LIST_HELD_REWARDS = Operation(
    name="list_held_rewards", method="GET", path=HELD_REWARDS,
    summary="The rewards that are held, with score and reasons",
    security="ops", answers={200: ops_models.HeldRewardsAnswer}, problems=(404,), roles=("ops",),
)  # fmt: skip
RELEASE_REWARD = Operation(
    name="release_reward", method="POST", path=f"{HELD_REWARDS}/{{reward}}/release",
    summary="Release a held reward: its voucher is issued",
    security="ops", answers={204: None}, problems=(404, 409), roles=("ops",),
    reasons=REVIEWED,
)  # fmt: skip
REFUSE_REWARD = Operation(
    name="refuse_reward", method="POST", path=f"{HELD_REWARDS}/{{reward}}/refusal",
    summary="Refuse a held reward, for good",
    security="ops", answers={204: None}, problems=(404, 409), roles=("ops",),
    reasons=REVIEWED,
)  # fmt: skip
GET_OPENAPI = Operation(
    name="get_openapi", method="GET", path="/v1/openapi.json",
    summary="This document",
    security="public", answers={200: models.DescriptionAnswer},
)  # fmt: skip

OPERATIONS = (
    GET_CAMPAIGN,
    SIGN_IN,
    OPEN_SESSION,
    GET_LINK,
    OPEN_LINK,
    SIGN_UP,
    GET_INVITATION,
    REFEREES_APPLE_PASS,
    REFEREES_GOOGLE_PASS,
    CONFIRM,
    DECLINE,
    END_CONSENT,
    UNSUBSCRIBE,
    OPEN_UNSUBSCRIBE,
    UNSUBSCRIBE_PAGE,
    MAKE_PRIVACY_REQUEST,
    GET_PRIVACY_REQUEST,
    TAKE_FILE,
    CONFIRM_ERASURE,
    STOP_SIGN_INS,
    RESUME_SIGN_INS,
    GET_SPONSOR,
    SPONSORS_APPLE_PASS,
    SPONSORS_GOOGLE_PASS,
    NAME_SPONSOR,
    INVITE,
    PREVIEW_INVITATION,
    RENEW_LINK,
    END_SESSION,
    GET_VOUCHER,
    REDEEM,
    ROLL_BACK,
    POST_ORDERS,
    LIST_CAMPAIGNS,
    GET_DASHBOARD,
    GET_WALL,
    LIST_HELD_REWARDS,
    RELEASE_REWARD,
    REFUSE_REWARD,
    GET_OPENAPI,
)
