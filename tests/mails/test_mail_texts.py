"""What the mails say: each kind in each locale, from the templates as they are in the source."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from chalicelib.mails import (
    LOCALES,
    AnyMail,
    InvitationMail,
    Rendered,
    SignUpMail,
    locale_of,
    render,
)
from chalicelib.mails.catalogues import words_in
from chalicelib.mails.compile import compile_into, main
from chalicelib.mails.formats import one_line, typeset
from tests.mails.samples import (
    CAMPAIGN,
    CONFIRMED,
    ERASURE,
    FILE,
    FURTHER_REWARD,
    FURTHER_VOUCHER,
    INVITATION,
    MAILS,
    NARROW,
    NO_BREAK,
    NOT_COMPILED,
    OFFERS,
    REPLACED,
    REPLACED_OF_SPONSOR,
    REVOKED,
    REVOKED_OF_SPONSOR,
    REWARD,
    SIGN_IN,
    SIGN_UP,
    STOP,
    VOUCHER,
    rendered,
)

every_mail = pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.kind)
every_offer = pytest.mark.parametrize("mail", OFFERS, ids=lambda mail: mail.kind)
every_locale = pytest.mark.parametrize("locale", LOCALES)


def preheader(made: Rendered) -> str:
    hidden = re.search(r'<div style="display:none[^>]*>([^<]*)</div>', made.html)
    assert hidden is not None
    return html.unescape(hidden[1])


def test_every_kind_of_mail_is_tried_here() -> None:
    assert {type(mail) for mail in MAILS} == set(get_args(AnyMail))


@every_mail
@every_locale
def test_a_mail_says_the_same_in_text_and_html(mail: AnyMail, locale: str) -> None:
    made = rendered(mail, locale)
    shown = re.split(r"<[^>]*>", made.html.partition("<body")[2].partition(">")[2])
    beside = words_in(locale, NOT_COMPILED)("plain_link")  # of a button, which text has not
    for words in filter(None, (html.unescape(piece).strip("\n\u00a0 ") for piece in shown)):
        if words != beside and words not in preheader(made):
            assert words.removesuffix(":").rstrip(" " + NARROW) in made.text
    assert f'<html lang="{locale}" dir="ltr"' in made.html
    assert made.html.count("<h1") == 1
    assert made.locale == locale


@every_mail
@every_locale
def test_the_text_holds_every_link_of_the_html(mail: AnyMail, locale: str) -> None:
    made = rendered(mail, locale)
    links = [html.unescape(link) for link in re.findall(r'href="([^"]*)"', made.html)]
    assert CAMPAIGN.terms_url in links
    for link in links:
        assert link.removeprefix("mailto:") in made.text


@every_mail
@every_locale
def test_a_mail_fetches_nothing_from_anywhere(mail: AnyMail, locale: str) -> None:
    page = rendered(mail, locale).html.lower()
    for fetching in (
        "srcset",
        "url(",
        "@import",
        "<link",
        "<script",
        "background=",
    ):
        assert fetching not in page
    assert re.findall(r'src="(?!cid:)', page) == []
    outside_links = re.sub(r'<a [^>]*href="[^"]*"[^>]*>[^<]*</a>', "", page)
    assert "http" not in outside_links.replace("http-equiv", "")


@every_mail
@every_locale
def test_a_subject_is_one_line_that_names_the_brand(mail: AnyMail, locale: str) -> None:
    subject = rendered(mail, locale).subject
    assert "Maison Verger" in subject
    assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{10,100}", subject)


@every_mail
def test_french_never_breaks_a_line_before_a_high_mark(mail: AnyMail) -> None:
    made = rendered(mail, "fr")
    hidden = r"<style>.*?</style>|<!--.*?-->|<[^>]*>|&#847;&zwnj;"
    words = html.unescape(re.sub(hidden, "", made.html, flags=re.DOTALL))
    for said in (made.subject, made.text, words):
        assert not re.search(rf"[ {NO_BREAK}][:;!?»]|«[ {NO_BREAK}]| [€%]", said)
        assert not re.search(r"\w[!?»]|\w'\w", re.sub(r"https?://\S+", "", said))


@every_mail
@every_locale
def test_the_footer_has_the_brand_the_terms_and_the_privacy_contact(
    mail: AnyMail, locale: str
) -> None:
    made = rendered(mail, locale)
    footer = made.text.rpartition("-----")[2]
    assert "Verger & Fils SA · 1 rue du Verger, 75002 Paris" in footer
    assert CAMPAIGN.title[locale] in footer
    assert CAMPAIGN.terms_url in footer
    assert "https://verger.example/privacy" in footer
    assert CAMPAIGN.contact in footer
    assert f'href="mailto:{CAMPAIGN.contact}"' in made.html
    assert CAMPAIGN.rights_url in footer


@every_offer
@pytest.mark.parametrize("locale", ["fr", "en"])
def test_law_2_the_mail_names_the_sponsor_and_says_why_until_when_and_how_to_refuse(
    mail: InvitationMail | SignUpMail, locale: str
) -> None:
    made = rendered(mail, locale)
    assert "Jeanne" in made.subject
    why, no_reminder, until = {
        "fr": (
            "Pourquoi ce message",
            "vous ne recevrez pas de relance",
            "1er décembre 2026 inclus",
        ),
        "en": ("Why this message", "you will not receive a reminder", "including 1 December 2026"),
    }[locale]
    text = made.text.replace(NO_BREAK, " ")
    assert "Jeanne" in text.partition(why)[2]
    assert no_reminder in text
    assert until in text
    assert typeset(CAMPAIGN.offer[locale], locale) in made.text


@pytest.mark.parametrize("locale", ["fr", "en"])
@every_mail
def test_every_mail_has_the_link_to_the_page_that_stops_them_and_says_of_whom(
    mail: AnyMail, locale: str
) -> None:
    made = rendered(mail, locale)
    words = {
        "fr": "Ne plus recevoir d’invitations ni d’actualités de Maison Verger",
        "en": "Receive no more invitations or news from Maison Verger",
    }[locale]
    assert STOP in made.text
    assert f'href="{STOP}"' in made.html
    for text in (made.text, made.html):
        assert words in text.replace(NO_BREAK, " ")


@pytest.mark.parametrize("nobody", ["", " ", "\r\n", "\u202e"])
def test_law_2_a_mail_without_a_sponsors_name_is_refused(nobody: str) -> None:
    for mail in OFFERS:
        with pytest.raises(ValueError, match="names the sponsor"):
            replace(mail, sponsor_name=nobody)


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_a_voucher_mail_shows_code_value_minimum_and_last_day(locale: str) -> None:
    made = rendered(VOUCHER, locale)
    expected = {
        "fr": ("10 €", "40,50 €", "31 décembre 2026"),
        "en": ("€10", "€40.50", "31 December 2026"),
    }[locale]
    for shown in (*expected, VOUCHER.code):
        assert shown in made.text.replace(NO_BREAK, " ")
        assert shown in made.html.replace(NO_BREAK, " ")
    # A lock screen shows the subject and the preheader: the code is in neither.
    assert VOUCHER.code not in made.subject + preheader(made)


@pytest.mark.parametrize("none", [None, 0])
def test_a_voucher_without_a_minimum_says_so(none: int | None) -> None:
    assert (
        "sans minimum d’achat" in rendered(replace(VOUCHER, minimum_basket_minor=none), "fr").text
    )
    assert "sans minimum" not in rendered(VOUCHER, "fr").text


@pytest.mark.parametrize(
    ("locale", "text"),
    [("en", "This code replaces the one we sent you before"), ("fr", "Ce code remplace celui que")],
)
def test_a_code_that_replaces_a_mailed_one_says_so_and_why_it_comes(locale: str, text: str) -> None:
    for made in (rendered(REPLACED, locale), rendered(REPLACED_OF_SPONSOR, locale)):
        assert text in made.text
        assert text in made.html
    accepted, takes_part = {
        "fr": ("Vous avez accepté", "Vous participez"), "en": ("You accepted", "You take part"),
    }[locale]  # fmt: skip
    assert accepted in rendered(REPLACED, locale).text
    assert takes_part in rendered(REPLACED_OF_SPONSOR, locale).text


def test_a_revoked_voucher_is_explained_to_each_holder() -> None:
    assert "retournée ou annulée" in rendered(REVOKED, "fr").text
    assert "une personne que vous avez invitée" in rendered(REVOKED_OF_SPONSOR, "fr").text
    assert "que vous avez invitée" not in rendered(REVOKED, "fr").text


def test_a_receipt_says_of_a_voucher_only_where_one_waits() -> None:
    assert "bon d’achat de 10 €" in rendered(CONFIRMED, "fr").text.replace(NO_BREAK, " ")
    assert "bon d’achat" not in rendered(replace(CONFIRMED, waits=None), "fr").text


def test_a_rung_is_greeted_otherwise_than_the_first_voucher() -> None:
    assert "Bienvenue" in rendered(VOUCHER, "fr").subject
    assert "Bienvenue" in rendered(replace(VOUCHER, rung=0), "fr").subject
    assert "Bienvenue" not in rendered(FURTHER_VOUCHER, "fr").subject
    assert "nouveau bon d’achat" in rendered(FURTHER_VOUCHER, "fr").text
    assert "nouvelle récompense" in rendered(FURTHER_REWARD, "fr").text
    assert "nouvelle récompense" not in rendered(REWARD, "fr").text


def test_markup_in_a_name_is_escaped_in_html_and_plain_in_text() -> None:
    hostile = "<script>alert(1)</script> & \"Co\" '{{ link }}'"
    made = rendered(replace(INVITATION, sponsor_name=hostile, first_name=hostile), "fr")
    assert "<script" not in made.html
    assert "&lt;script&gt;" in made.html
    assert hostile in made.text
    assert hostile in made.subject


def test_markup_in_the_campaigns_texts_is_escaped_too() -> None:
    hostile = "<b>x</b>"
    everywhere = dict.fromkeys(LOCALES, hostile)
    campaign = replace(
        CAMPAIGN, brand_name=hostile, title=everywhere, offer=everywhere, contact=hostile
    )
    assert "<b>" not in rendered(replace(INVITATION, campaign=campaign), "en").html


def test_a_line_end_in_a_name_becomes_a_space() -> None:
    hostile = "Jeanne\r\nBcc: x@y.example\n\nNew paragraph\u2028more\x00\ud800"
    made = rendered(replace(INVITATION, sponsor_name=hostile), "en")
    clean = "Jeanne Bcc: x@y.example New paragraph more"
    assert made.subject == f"{clean} invites you to Maison Verger"
    assert f"{clean} gave us your address" in made.text
    made.html.encode("utf-8")


def test_a_name_cannot_turn_the_sentence_backwards() -> None:
    assert one_line("Je\u202eanne\u2066\u200f") == "Jeanne"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://x.example/ b", "//x", "https://"])
def test_a_link_that_is_no_web_address_is_refused(link: str) -> None:
    with pytest.raises(ValueError, match="link"):
        replace(SIGN_IN, link=link)
    with pytest.raises(ValueError, match="link"):
        replace(INVITATION, unsubscribe_link=link)
    with pytest.raises(ValueError, match="link"):
        replace(CAMPAIGN, terms_url=link)


@pytest.mark.parametrize("colour", ["red", "#fff", "#12345g", "#123456;background:url(x)"])
def test_a_colour_that_could_carry_css_is_refused(colour: str) -> None:
    with pytest.raises(ValueError, match="brand_colour"):
        replace(CAMPAIGN, brand_colour=colour)


@pytest.mark.parametrize(
    ("asked", "locales", "chosen"),
    [
        ("en", ("fr", "en"), "en"),
        ("en-GB", ("fr", "en"), "en"),
        ("EN_us", ("fr", "en"), "en"),
        ("de", ("fr", "en"), "fr"),
        ("de", ("en", "fr"), "en"),
        (None, ("fr", "en"), "fr"),
        ("en", ("fr",), "fr"),
        ("de", ("de", "en"), "en"),
    ],
)
def test_an_unknown_locale_falls_back_to_the_campaigns_first(
    asked: str | None, locales: tuple[str, ...], chosen: str
) -> None:
    campaign = replace(CAMPAIGN, locales=locales)
    assert locale_of(asked, campaign) == chosen
    made = render(replace(SIGN_IN, campaign=campaign), asked, compiled=NOT_COMPILED)
    assert made.locale == chosen


def test_a_campaign_in_no_known_locale_has_no_mails() -> None:
    with pytest.raises(LookupError):
        locale_of("de", replace(CAMPAIGN, locales=("de",)))


@every_mail
def test_law_9_no_repr_shows_what_is_in_a_mail(mail: AnyMail) -> None:
    for shown in (repr(mail), repr(mail.campaign), repr(rendered(mail, "fr"))):
        assert not re.search("Paul|Jeanne|token|7K2M|Verger", shown)


@every_locale
def test_compiled_templates_give_what_the_sources_give(locale: str, tmp_path: Path) -> None:
    compile_into(tmp_path)
    for mail in MAILS:
        assert_same(render(mail, locale, compiled=tmp_path), rendered(mail, locale))
    hostile = replace(INVITATION, sponsor_name="<script>")
    assert "<script" not in render(hostile, locale, compiled=tmp_path).html


def assert_same(one: Rendered, other: Rendered) -> None:
    assert (one.subject, one.text, one.html) == (other.subject, other.text, other.html)


def test_check_distinguishes_a_stale_directory_from_a_current_one(tmp_path: Path) -> None:
    compiled = tmp_path / "compiled"
    assert main(["--check"], compiled=compiled) == 1
    assert main([], compiled=compiled) == 0
    assert main(["--check"], compiled=compiled) == 0
    module = next(compiled.glob("*.py"))
    module.write_text(module.read_text("utf-8") + "# changed\n", "utf-8")
    assert main(["--check"], compiled=compiled) == 1
    (compiled / "tmpl_gone.py").touch()
    assert main([], compiled=compiled) == 0
    assert main(["--check"], compiled=compiled) == 0


def test_importing_the_package_loads_no_template_engine() -> None:
    program = (
        "import sys, chalicelib.mails\n"
        "print(*{'jinja2', 'babel', 'barcode', 'segno', 'idna'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == ""


# --- information for those who gave us nothing (GDPR 14) ------------------------------------------

INFORMATION = {
    "fr": ("Verger & Fils SA", "1 rue du Verger", "intérêt légitime", "Jeanne", "prestataires",
           "effacée dès que", "rectifier", "dpo@verger.example", "la CNIL"),
    "en": ("Verger & Fils SA", "1 rue du Verger", "legitimate interest", "Jeanne", "providers",
           "erased as soon as", "corrected", "dpo@verger.example", "the CNIL"),
}  # fmt: skip


@pytest.mark.parametrize("mail", [INVITATION, SIGN_UP], ids=lambda mail: mail.kind)
@pytest.mark.parametrize("locale", ["fr", "en"])
def test_who_gave_us_nothing_reads_who_why_whence_how_long_and_which_rights(
    mail: AnyMail, locale: str
) -> None:
    made = rendered(mail, locale)
    for part in INFORMATION[locale]:
        assert part in made.text.replace(NO_BREAK, " ")
        assert part.replace("&", "&amp;") in made.html.replace(NO_BREAK, " ")
    assert "https://verger.example/privacy" in made.text
    assert 'href="https://verger.example/privacy"' in made.html


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize("mail", [FILE, ERASURE], ids=["file", "erasure"])
def test_who_is_mailed_about_her_data_reads_why_how_long_and_which_rights(
    mail: AnyMail, locale: str
) -> None:
    """Anybody may have typed the address."""
    text = rendered(mail, locale).text.replace(NO_BREAK, " ")
    said = {
        "fr": ("Verger & Fils SA", "articles 12, 15 et 17", "prestataires", "au bout d’un jour",
               "rectifier", "dpo@verger.example", "la CNIL", "24 heures", "rien demandé"),
        "en": ("Verger & Fils SA", "articles 12, 15 and 17", "providers", "after a day",
               "corrected", "dpo@verger.example", "the CNIL", "24 hours", "did not ask"),
    }  # fmt: skip
    for part in said[locale]:
        assert part in text


@pytest.mark.parametrize(
    "mail", [INVITATION, SIGN_UP, SIGN_IN, FILE, VOUCHER], ids=lambda mail: mail.kind
)
def test_a_campaign_of_an_earlier_version_names_its_brand_and_contact(mail: AnyMail) -> None:
    earlier = replace(mail, campaign=replace(CAMPAIGN, notice=None))
    made = rendered(earlier, "en")
    assert "Sent on behalf of Maison Verger, as part of" in made.text
    assert "privacy@verger.example" in made.text
    assert "None" not in made.text + made.html
