"""What every mail has of its campaign, and what a voucher's mail says of the next order."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.campaign.file import Campaign
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.mails.campaign_texts import texts_of
from chalicelib.services.mails.draft import Sender
from local.demo.lists import PICTURES
from tests.fakes.campaign import campaign
from tests.fakes.world import World, new_world
from tests.services.test_voucher_mails import NEWCOMER, confirmed, mailed

SENDER = Sender("programme@demo.test", "https://programme.test")
PNG = PICTURES[1].read_bytes()
LADDER = {"id": "first", "when": "order_kept", "if": {"order": 1}, "issue": "second-order",
          "to": "referee"}  # fmt: skip
WELCOME = {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"}


def with_logo(number: str) -> Campaign:
    brand = campaign().brand.model_dump() | {"logo": "logo.png"}
    picture = {"sha256": number * 64, "kind": "png", "width": 389, "height": 79}
    return campaign(brand=brand, pictures={"logo.png": picture})


def test_mails_carry_the_stored_logo_which_is_read_once() -> None:
    world, drawn = new_world(), with_logo("a")
    path = str(drawn.picture_path("logo.png"))
    world.files.put(path, PNG)
    logo = texts_of(world.ports, drawn, SENDER).logo
    assert logo is not None
    assert (logo.png, logo.width, logo.height) == (PNG, 389, 79)
    del world.files.content[path]
    assert texts_of(world.ports, drawn, SENDER).logo is not None


def test_a_logo_that_is_not_there_stops_no_mail() -> None:
    world = new_world()
    assert texts_of(world.ports, with_logo("b"), SENDER).logo is None
    assert texts_of(world.ports, campaign(), SENDER).logo is None


def test_the_company_is_named_with_what_is_known_of_it() -> None:
    world = new_world()
    legal = {"name": "Demo SAS", "address": "1 rue de la Demo"}
    for more, named in (({}, ""), ({"registration": "RCS 1"}, " · RCS 1")):
        brand = campaign().brand.model_dump() | {"legal": legal | more}
        texts = texts_of(world.ports, campaign(brand=brand), SENDER)
        assert texts.legal == f"Demo SAS · 1 rue de la Demo{named}"


@pytest.mark.parametrize("missing", ["controller", "privacy"])
def test_a_campaign_of_an_earlier_version_has_no_notice(missing: str) -> None:
    texts = texts_of(new_world().ports, campaign(**{missing: None}), SENDER)
    assert texts.notice is None
    assert texts_of(new_world().ports, campaign(), SENDER).notice is not None


def welcome_mail(**changes: Any) -> str:
    world: World = mailed(confirmed(**changes))
    return world.mailer.to(NEWCOMER)[-1].text.replace("\u00a0", " ")


def test_a_vouchers_mail_says_what_the_next_order_earns() -> None:
    assert "5 € après votre prochaine commande" in welcome_mail(rules=[WELCOME, LADDER])


@pytest.mark.parametrize(
    "changes",
    [
        {"rules": [WELCOME]},
        {"rules": [WELCOME, LADDER | {"if": {"order": 2}}]},
        {"rules": [WELCOME, LADDER | {"when": "order_placed"}]},
        {"rules": [WELCOME, LADDER | {"if": {"order": 1, "minimum_amount": 30}}]},
        {"rules": [WELCOME, LADDER], "caps": {"referee_rewards": 1}},
        {"rules": [WELCOME, LADDER | {"to": "sponsor"}]},
    ],
)
def test_it_says_nothing_that_the_next_order_may_not_earn(changes: dict[str, Any]) -> None:
    assert "prochaine commande :" not in welcome_mail(**changes)
    assert "après votre prochaine commande" not in welcome_mail(**changes)


def test_a_sponsors_mail_says_nothing_of_a_referees_orders() -> None:
    reward = {"id": "thanks", "when": "referral_confirmed", "issue": "thank-you", "to": "sponsor"}
    world = confirmed(rules=[reward, LADDER], release="at_once")
    from tests.fakes.world import VIPS

    assert "prochaine commande" in world.mailer.to(VIPS[0])[-1].text  # how to use it
    assert "après votre prochaine commande" not in world.mailer.to(VIPS[0])[-1].text


def test_a_confirmation_counts_once_for_its_mail() -> None:
    world = confirmed(mail_confirmations=True)
    confirm(world.ports, world.token_of(NEWCOMER), "1", False)
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 2
