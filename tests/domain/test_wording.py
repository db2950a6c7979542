"""Texts of a campaign's own: every place is filled by something, and every language is there."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.domain.campaign.wording import PLACES, Mails, filled
from tests.fakes.campaign import campaign, templates


def problems(**changes: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        campaign(**changes)
    return str(refused.value)


def both(text: str) -> dict[str, str]:
    return {"fr": text, "en": text}


def test_every_mail_with_words_of_its_own_has_its_places() -> None:
    assert set(PLACES) == set(Mails.model_fields)


@pytest.mark.parametrize("kind", PLACES)
def test_every_place_of_a_mail_is_taken_and_no_other(kind: str) -> None:
    everything = " ".join(f"{{{place}}}" for place in PLACES[kind])
    named = campaign(mails={kind: {"subject": both(everything), "intro": both(everything)}})
    assert named.mails.of(kind).subject == both(everything)
    said = problems(mails={kind: {"intro": {"fr": "{code}", "en": "fine"}}})
    assert f"mails.{kind}.intro.fr: nothing fills {{code}}: the places are " in said
    assert "intro.en" not in said


@pytest.mark.parametrize("text", ["{", "}", "{}", "{0}", "{brand!r}", "{brand:9}", "{brand.x}"])
def test_a_brace_that_makes_no_place_is_refused(text: str) -> None:
    said = problems(mails={"reward": {"subject": both(text)}})
    assert "mails.reward.subject.fr: a brace must be part of a place like {brand}" in said


@pytest.mark.parametrize("kind", ["invitation", "sign_up"])
def test_law_2_the_subject_of_an_invitation_names_the_sponsor(kind: str) -> None:
    said = problems(mails={kind: {"subject": {"fr": "Venez !", "en": "{sponsor} calls"}}})
    assert f"mails.{kind}.subject.fr: must have {{sponsor}}" in said
    assert "subject.en" not in said


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"mails": {"voucher": {"subject": {"fr": "Un bon"}}}}, "mails.voucher.subject"),
        ({"share": {"message": {"fr": "Regarde"}}}, "share.message"),
        ({"offer": {"fr": "10 €"}}, "offer"),
        (
            {"templates": templates(welcome={"use": {"how": {"fr": "En caisse"}}})},
            "templates.welcome.use.how",
        ),
    ],
)
def test_every_language_of_the_campaign_has_its_text(changes: dict[str, Any], field: str) -> None:
    assert f"{field}: no text for locale en" in problems(**changes)


def test_ean13_needs_codes_of_the_clients_own_and_a_till() -> None:
    ean = {"use": {"shop": True, "symbology": "ean13"}}
    assert "templates.welcome.use.symbology: ean13 needs codes: client" in problems(
        templates=templates(welcome=ean)
    )
    campaign(templates=templates(welcome=ean | {"codes": "client"}))
    said = problems(templates=templates(welcome={"use": {"symbology": "qr"}}))
    assert "templates.welcome.use.symbology: a bar code needs shop: true" in said


def test_a_value_with_braces_is_no_place() -> None:
    assert filled("{sponsor} calls", {"sponsor": "{brand}"}) == "{brand} calls"
