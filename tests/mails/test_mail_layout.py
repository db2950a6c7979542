"""What the layout must keep to: Outlook's engine is Word's, and some programs cut long mails.

The rules are those that Word breaks on: it knows no `max-width` and no padding but a cell's, it
does not inherit fonts into tables, and it shows a picture in its own size unless told otherwise.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from chalicelib.domain.campaign.templates import Symbology, Use
from chalicelib.mails import LOCALES, AnyMail
from local.mails import Shown, demo_mails, message_of
from tests.mails.samples import MAILS, rendered

DEMO = [pytest.param(shown, id=shown.name) for shown in demo_mails()]
LARGEST = 60_000
FORBIDDEN = re.compile(
    r"(?<![a-z-])(display:\s*(?:flex|grid|inline-block)|position:|float:|background-image|"
    r"background:|calc\(|margin-left:\s*auto|vw|rem;|em;|url\()"
)
PADDED = {"td", "th"}


class Outline(HTMLParser):
    """The elements of a page with their attributes, outside of what only Word reads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))


def broken_rules(page: str) -> list[str]:
    """Every rule that a page breaks, once for each element."""
    body = page.partition("<body")[2]
    found = []
    for tag, given in Outline(f"<body{body}").elements:
        style = given.get("style", "")
        if FORBIDDEN.search(style):
            found.append(f"{tag}: Word does not know {style}")
        if re.search(r"(?<![a-z-])padding", style) and tag not in {*PADDED, "body"}:
            found.append(f"{tag}: padding is a cell's alone")
        if tag == "table" and not {"cellpadding", "cellspacing", "border"} <= set(given):
            found.append("table: without cellpadding, cellspacing and border")
        if "background-color" in style and tag != "body" and "bgcolor" not in given:
            found.append(f"{tag}: a colour of the ground needs bgcolor too")
        if tag == "img" and not {"width", "height", "alt"} <= set(given):
            found.append("img: without width, height and alt")
        if tag in {"h1", "h2"} and "font-family" not in style:
            found.append(f"{tag}: without its font")
    return found + unwrapped(page)


def unwrapped(page: str) -> list[str]:
    """Tables with a `max-width` that no table of a fixed width is around, for Word."""
    found = []
    for at in re.finditer(r"<table[^>]*max-width:600px", page):
        before = page[: at.start()].rstrip()
        if not before.endswith("<![endif]-->") or 'width="600"' not in before[-220:]:
            found.append("table: max-width without a table for Word")
    return found


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.kind)
def test_every_mail_keeps_to_what_outlook_can_show(mail: AnyMail, locale: str) -> None:
    assert broken_rules(rendered(mail, locale).html) == []


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ('<a style="padding:4px">x</a>', "a: padding is a cell's alone"),
        ('<div style="display:flex">x</div>', "div: Word does not know display:flex"),
        ("<table><tr><td>x</td></tr></table>", "table: without cellpadding"),
        ('<td style="background-color:#fff">x</td>', "td: a colour of the ground needs bgcolor"),
        ('<img src="cid:x" alt="">', "img: without width, height and alt"),
        ("<h1>x</h1>", "h1: without its font"),
        ('<table style="max-width:600px">', "table: max-width without a table for Word"),
    ],
)
def test_the_rules_notice_what_breaks_them(broken: str, rule: str) -> None:
    page = rendered(MAILS[0], "en").html.replace("</body>", f"{broken}</body>")
    assert any(found.startswith(rule) for found in broken_rules(page))


@pytest.mark.parametrize("shown", DEMO)
def test_what_word_reads_opens_and_closes_the_same_tables(shown: Shown) -> None:
    page = rendered(shown.mail, "fr").html
    for_word = "".join(re.findall(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", page, re.DOTALL))
    for tag in ("table", "tr", "td"):
        assert len(re.findall(rf"<{tag}[ >]", for_word)) == for_word.count(f"</{tag}>"), tag
        assert len(re.findall(rf"<{tag}[ >]", page)) == page.count(f"</{tag}>"), tag


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("shown", DEMO)
def test_a_whole_mail_is_below_60_kb_and_carries_its_pictures(shown: Shown, locale: str) -> None:
    made = rendered(shown.mail, locale)
    message = message_of(shown, made)
    assert len(message) < LARGEST
    named = re.findall(r'src="cid:(\w+)"', made.html)
    assert sorted(named) == sorted(picture.cid for picture in made.pictures)
    for cid in named:
        assert f"Content-ID: <{cid}>".encode() in message
    assert "logo" in named


@pytest.mark.parametrize("symbology", [None, *Symbology])
def test_only_a_code_that_its_bar_code_can_hold_has_one(symbology: Symbology | None) -> None:
    [voucher] = [shown.mail for shown in demo_mails() if shown.name == "voucher"]
    changed = vars(voucher) | {"use": Use(shop=True, symbology=symbology)}
    pictures = [one.cid for one in rendered(type(voucher)(**changed), "fr").pictures]
    has_one = symbology in {Symbology.CODE128, Symbology.QR}  # letters are no EAN
    assert ("barcode" in pictures) is has_one
