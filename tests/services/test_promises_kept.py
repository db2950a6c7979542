"""A campaign that only shares a link, welcomes nobody with a voucher and rewards no sponsor: none
of its mails promises any of that, whatever its own texts say.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.locales import LOCALES
from chalicelib.mails.contexts import AnyMail
from chalicelib.mails.render import render
from chalicelib.services.invitations.invite import Referee, sign_up
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.mails.campaign_texts import texts_of
from chalicelib.services.mails.draft import Sender
from chalicelib.services.sponsors.space import view_sponsor_space
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.world import VIPS, World, new_world
from tests.mails.samples import CONFIRMED, ERASURE, FILE, NOT_COMPILED, SIGN_IN, SIGN_UP

NEWCOMER = "jeanne@example.fr"
LADDER = {"id": "second", "when": "order_kept", "if": {"order": 2}, "issue": "third-order",
          "to": "referee"}  # fmt: skip
# What is given, in each language; and every amount.
GIFTS = {
    "fr": r"bons? d.achat|récompense|offert|filleul",
    "en": r"voucher|reward|free",
    "pl": r"\bbon\w*|nagrod",
    "es": r"\bvales?\b|recompensa|regalo",
    "it": r"\bbuon[oi]\b|premi|regalo",
}
AMOUNT = r"(?:€|zł)\s?[\d.,]+|[\d.,]+\s?(?:€|zł)"


def bare() -> World:
    return new_world(channels=["link"], rules=[LADDER], mail_confirmations=True)


def everywhere(campaign: Campaign) -> Campaign:
    """The campaign in every language; its own texts promise what no rule keeps."""
    promise = dict.fromkeys(LOCALES, "15 € offerts, a voucher for you: 15 €")
    notice = campaign.privacy and campaign.privacy.model_copy(
        update={"authority": dict.fromkeys(LOCALES, "CNIL")}
    )
    changes = {"title": dict.fromkeys(LOCALES, "Demo"), "offer": promise, "privacy": notice,
               "sponsor_offer": promise, "locales": LOCALES}  # fmt: skip
    return campaign.model_copy(update=changes)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("mail", [SIGN_IN, FILE, ERASURE], ids=lambda mail: mail.kind)
def test_a_sponsors_mail_promises_nothing(mail: AnyMail, locale: str) -> None:
    world = bare()
    texts = texts_of(
        world.ports, everywhere(world.campaign), Sender("a@demo.test", "https://x.test")
    )
    made = render(replace(mail, campaign=texts), locale, compiled=NOT_COMPILED)
    said = f"{made.subject}\n{made.text.partition('-----')[0]}"
    assert re.findall(GIFTS[locale], said, re.IGNORECASE) == []
    assert re.findall(AMOUNT, said) == []


@pytest.mark.parametrize("locale", LOCALES)
def test_an_invitation_promises_the_ladder_alone(locale: str) -> None:
    world = bare()
    texts = texts_of(
        world.ports, everywhere(world.campaign), Sender("a@demo.test", "https://x.test")
    )
    made = render(replace(SIGN_UP, campaign=texts), locale, compiled=NOT_COMPILED)
    amounts = {re.sub(r"[^\d]", "", found) for found in re.findall(AMOUNT, made.text)}
    assert amounts == {"750"}
    receipt = render(replace(CONFIRMED, campaign=texts, waits=None), locale, compiled=NOT_COMPILED)
    said = f"{receipt.subject}\n{receipt.text.partition('-----')[0]}"
    assert re.findall(GIFTS[locale], said, re.IGNORECASE) == []


def test_no_mail_on_the_way_to_a_confirmation_promises_what_no_rule_keeps() -> None:
    world = bare()
    session = world.sponsor()
    link = view_sponsor_space(world.ports, session).sponsor.link_code
    sign_up(world.ports, CAMPAIGN, link, Referee(Address.parse(NEWCOMER), locale="fr"))
    world.run()
    confirm(world.ports, world.token_of(NEWCOMER), "1", False)
    world.run()
    sent = [*world.mailer.to(VIPS[0]), *world.mailer.to(NEWCOMER)]
    assert len(sent) == 3
    for mail in sent:
        assert not re.search(r"1[05]\s€|bon d.achat", mail.text)
