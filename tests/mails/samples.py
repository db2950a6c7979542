"""A mail of every kind and form, for the tests of mails."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from chalicelib.domain.benefits import MoneyOff
from chalicelib.domain.campaign.promises import Promise
from chalicelib.domain.campaign.rules import Trigger
from chalicelib.mails import (
    LOCALES,
    AnyMail,
    CampaignTexts,
    ConfirmedMail,
    EndsSoonMail,
    InvitationMail,
    PrivacyMail,
    PrivacyNotice,
    Rendered,
    ReplacedMail,
    RevokedMail,
    RewardMail,
    SignInMail,
    SignUpMail,
    VoucherMail,
    render,
)

NO_BREAK = "\u00a0"
NARROW = "\u202f"
NOT_COMPILED = Path(__file__).parent / "no-such-directory"

STOP = "https://tandem.example/v1/unsubscribe/STOP/page"

WELCOME = Promise(
    rule="welcome", template="welcome", value_minor=1000, minimum_basket_minor=4000, valid_days=60,
    when=Trigger.REFERRAL_CONFIRMED, order=None, least_order_minor=0,
)  # fmt: skip
SECOND = replace(WELCOME, rule="second", value_minor=750, when=Trigger.ORDER_KEPT, order=2)
THANKS = replace(WELCOME, rule="thanks", value_minor=1500, when=Trigger.ORDER_KEPT, order=1)
TITLES = {"fr": "Invitez, savourez", "en": "Invite and enjoy", "pl": "Zaproś i smakuj",
          "es": "Invita y disfruta", "it": "Invita e gusta"}  # fmt: skip
CAMPAIGN = CampaignTexts(
    brand_name="Maison Verger",
    brand_colour="#1f4e3d",
    title=TITLES,
    offer={"fr": "10 € dès 40 € d\u2019achat !", "en": "€10 off your first order"},
    sponsor_offer={"fr": "15 € pour vous", "en": "€15 for you"},
    for_referee=(WELCOME, SECOND),
    for_sponsor=(THANKS,),
    terms_url="https://verger.example/terms?a=1&b=2",
    contact="privacy@verger.example",
    locales=LOCALES,
    rights_url="https://tandem.example/privacy/?campaign=demo",
    notice=PrivacyNotice(
        controller="Verger & Fils SA",
        controller_address="1 rue du Verger, 75002 Paris",
        dpo="dpo@verger.example",
        authority={
            "fr": "la CNIL",
            "en": "the CNIL",
            "pl": "UODO",
            "es": "la AEPD",
            "it": "il Garante",
        },
        url="https://verger.example/privacy",
    ),
)
SIGN_IN = SignInMail(
    campaign=CAMPAIGN,
    first_name=None,
    link="https://tandem.example/sponsor/?campaign=demo&x=1#token=SIGNIN",
    stop_link="https://tandem.example/sign-in-stop/?campaign=demo-vip#token=NOT-ME",
    expires_minutes=15,
    unsubscribe_link=STOP,
)
FILE = PrivacyMail(
    campaign=CAMPAIGN,
    first_name=None,
    is_erasure=False,
    link="https://tandem.example/privacy/?campaign=demo#token=FILE",
    stop_link="https://tandem.example/sign-in-stop/?campaign=demo-vip#token=NOT-ME",
    expires_hours=24,
    unsubscribe_link=STOP,
)
ERASURE = replace(FILE, is_erasure=True)
INVITATION = InvitationMail(
    campaign=CAMPAIGN,
    first_name="Paul",
    sponsor_name="Jeanne",
    link="https://tandem.example/referee/?campaign=demo#token=INVITED",
    closes_on=date(2026, 12, 1),
    unsubscribe_link=STOP,
)
SIGN_UP = SignUpMail(
    campaign=CAMPAIGN,
    first_name=None,
    sponsor_name="Jeanne",
    link="https://tandem.example/referee/?campaign=demo#token=SIGNUP",
    closes_on=date(2026, 12, 1),
    unsubscribe_link=STOP,
)
TO_REFEREE: dict[str, Any] = {"campaign": CAMPAIGN, "first_name": "Paul", "unsubscribe_link": STOP}
_VOUCHER: dict[str, Any] = TO_REFEREE | {
    "code": "VRG-7K2M-9QXP-4TBN",
    "benefit": MoneyOff(1000, "EUR"),
    "currency": "EUR",
    "minimum_basket_minor": 4050,
    "valid_until": date(2026, 12, 31),
    "rung": None,
}
VOUCHER = VoucherMail(**_VOUCHER)
REWARD = RewardMail(
    **_VOUCHER
    | {
        "first_name": None,
        "code": "SPO-7K2M-9QXP-4TBN",
        "benefit": MoneyOff(1500, "EUR"),
        "minimum_basket_minor": None,
        "rung": 1,
    }
)
REPLACED = ReplacedMail(**_VOUCHER, is_sponsors=False)
ENDS_SOON = EndsSoonMail(**_VOUCHER)
REVOKED = RevokedMail(**TO_REFEREE, benefit=MoneyOff(1000, "EUR"), is_sponsors=False)
CONFIRMED = ConfirmedMail(**TO_REFEREE, waits=MoneyOff(1000, "EUR"))
REPLACED_OF_SPONSOR = replace(REPLACED, is_sponsors=True)
REVOKED_OF_SPONSOR = replace(REVOKED, is_sponsors=True)
FURTHER_VOUCHER = replace(VOUCHER, rung=2)
FURTHER_REWARD = replace(REWARD, rung=2)
MAILS: tuple[AnyMail, ...] = (
    SIGN_IN,
    FILE,
    ERASURE,
    INVITATION,
    SIGN_UP,
    VOUCHER,
    FURTHER_VOUCHER,
    REWARD,
    FURTHER_REWARD,
    REPLACED,
    REPLACED_OF_SPONSOR,
    ENDS_SOON,
    REVOKED,
    REVOKED_OF_SPONSOR,
    CONFIRMED,
)
OFFERS = (INVITATION, SIGN_UP)


def rendered(mail: AnyMail, locale: str) -> Rendered:
    """The mail, from the sources of its layout and words."""
    return render(mail, locale, compiled=NOT_COMPILED)
