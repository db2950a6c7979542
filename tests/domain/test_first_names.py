"""What may stand as a first name in a mail that the brand signs (docs/vectors/first-names.json)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.first_names import FirstNameError, first_name, require_not_the_brand

VECTORS = json.loads(
    (Path(__file__).parents[2] / "docs/vectors/first-names.json").read_text(encoding="utf-8")
)
BRAND = "Maison Demo"


def shown(text: str) -> str:
    name = first_name(text)
    require_not_the_brand(name, BRAND)
    return name


@pytest.mark.parametrize("name", VECTORS["accepted"])
def test_real_names_pass(name: str) -> None:
    assert shown(name) == name


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["why"])
def test_what_is_no_persons_name_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(FirstNameError):
        shown(case["name"])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (" Jeanne ", "Jeanne"),
        ("Jean-Pierre", "Jean-Pierre"),
        ("N'Golo", "N'Golo"),
        ("Zoe\u0308", "Zoë"),
        ("J. P.  Dupont", "J. P. Dupont"),
        ("J.P.", "J.P."),
        ("李", "李"),
        ("a" * 40, "a" * 40),
    ],
)
def test_a_first_name_is_kept_trimmed(text: str, name: str) -> None:
    assert first_name(text) == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("a" * 41, "too_long"),
        ("a" * 9999, "too_long"),
        ("- '", "bad_character"),
        ("Jeanne\nDupont", "bad_character"),
        ("Jeanne\u202e", "bad_character"),
        ("<b>Jeanne</b>", "bad_character"),
        ("jeanne@example.fr", "bad_character"),
        ("R2D2", "bad_character"),
        ("\ud800", "bad_character"),
        ("evil.com", "looks_like_a_link"),
        ("Www.x. fr", "looks_like_a_link"),
    ],
)
def test_a_first_name_that_cannot_be_shown_has_a_reason(text: str, reason: str) -> None:
    with pytest.raises(FirstNameError, match=f"^{reason}$"):
        first_name(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-Jean", "bad_character"),
        ("Jean-", "bad_character"),
        ("Jean--Paul", "bad_character"),
        ("Jean -Paul", "bad_character"),
        ("Jean- Paul", "bad_character"),
        ("Marcel· lí", "bad_character"),
        ("Je\u200can", "bad_character"),
        ("\u0301a", "bad_character"),
        ("\uff30\uff21\uff39", "bad_character"),  # full-width
        ("ꓸꓸ", "bad_character"),
        ("An\u034fna", "bad_character"),
        ("Nat\u0430lie", "mixed_scripts"),
        ("Ines Αλέξης", "mixed_scripts"),
        ("un deux trois quatre", "too_many_words"),
        ("un-deux-trois-quatre", "too_many_words"),
        ("Équipe Anne", "not_a_person"),
        ("ServiceClient", "not_a_person"),
        ("Kundenservice", "not_a_person"),
    ],
)
def test_each_trick_has_its_reason(text: str, reason: str) -> None:
    with pytest.raises(FirstNameError, match=f"^{reason}$"):
        first_name(text)


@pytest.mark.parametrize(
    "name",
    [
        "J.-P.",
        "Marie-Anne-Louise",
        "박서준",
        "さくら",
        "桜さくら",
        "देवेन्द्र",
        "ไอซ์",
        "D’Arcy",
        "ʻOkina",
    ],
)
def test_names_of_other_customs_pass(name: str) -> None:
    assert shown(name) == name


@pytest.mark.parametrize(
    "name", ["maison-demo", "MaisonDemo", "MAISONDEMO Paris", "La Maison Démo"]
)
def test_the_brand_does_not_sign_as_a_person(name: str) -> None:
    with pytest.raises(FirstNameError, match=r"^not_a_person$"):
        shown(name)


def test_a_name_that_is_one_word_of_the_brand_passes() -> None:
    assert shown("Maison") == "Maison"
    require_not_the_brand("Marie", "Marie Blachère")


@given(st.text(max_size=60))
def test_an_accepted_name_is_accepted_again_and_is_one_line(text: str) -> None:
    try:
        name = first_name(text)
    except FirstNameError:
        return
    assert first_name(name) == name
    assert name.isprintable() or "\u200c" in name
    assert 1 <= len(name) <= 40
    assert not set(name) & set("/:@<>\r\n0123456789")
