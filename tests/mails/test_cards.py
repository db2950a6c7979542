"""The page of a shared link: its card promises what the rules grant, and holds no markup."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.locales import LOCALES
from chalicelib.mails.cards import Card, card_language, card_of, page_without_card, share_page
from infra.pages import build_pages
from tests.api.world import campaign_like_demo

ORIGIN = "https://tandem.test"
CODE = "k7qm2aaaaaaa"
PICTURE = {"sha256": "b" * 64, "kind": "jpg", "width": 1200, "height": 630}
LOGO = {"sha256": "c" * 64, "kind": "png", "width": 432, "height": 88}
DRAWN = {"sha256": "d" * 64, "kind": "svg", "width": 216, "height": 44}
EVIL = """</title><script>alert("1")</script>&amp;'"<!-- --> ]]>"""


class Head(HTMLParser):
    """What a messenger's crawler reads: metas, title, icon; and every element there is."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.metas: dict[str, str] = {}
        self.elements: list[str] = []
        self.icon: str | None = None
        self.title = self.given = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append(tag)
        self._inside = found.get("id", "") if tag == "script" else tag
        if tag == "meta":
            self.metas[found.get("property") or found.get("name", "")] = found.get("content", "")
        if found.get("rel") == "icon":
            self.icon = found["href"]

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data
        if self._inside == "given":
            self.given += data


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> str:
    built = build_pages(tmp_path_factory.mktemp("built") / "web")
    return Path(built, "referee/index.html").read_text("utf-8")


def card(
    campaign: Campaign, *, name: str | None = "Solène", language: str = "fr", usable: bool = True
) -> Card:
    return card_of(campaign, CODE, name, language=language, origin=ORIGIN, is_open=usable)


def test_the_card_says_who_invites_where_and_to_what(published: str) -> None:
    own = campaign_like_demo(offer={})
    page = Head(share_page(published, card(own), {"link": CODE}))
    assert page.title == page.metas["og:title"] == "Solène vous invite chez Maison Demo"
    assert page.metas["og:description"] == (
        "Un bon d’achat de 10\u00a0€ dès 40\u00a0€ d’achat. "
        "Jusqu’au 31\u00a0décembre\u00a02030 inclus."
    )
    assert page.metas["description"] == page.metas["og:description"]
    assert page.metas["og:url"] == f"{ORIGIN}/p/{CODE}"
    assert page.metas["og:site_name"] == "Maison Demo"
    assert page.metas["theme-color"] == "#1f4e3d"
    assert page.metas["robots"] == "noindex"
    assert page.icon == "/favicon.svg"


def test_the_campaigns_own_words_stand_in_the_card_where_its_rules_keep_them() -> None:
    own = campaign_like_demo()
    assert own.offer
    assert card(own).description.startswith(own.offer["fr"].split(" ")[0])
    bare = campaign_like_demo(rules=[one for one in own.rules if one.to == "sponsor"], share=None)
    assert card(bare).description == "Ouvrez l’invitation pour en savoir plus."


@pytest.mark.parametrize("language", LOCALES)
def test_law_a_card_promises_no_amount_that_no_rule_grants(language: str) -> None:
    own = campaign_like_demo()
    no_rules = own.model_copy(update={"rules": (), "locales": LOCALES})
    late = [one for one in own.rules if one.id == "ladder-second"]
    for campaign in (no_rules, own.model_copy(update={"rules": late, "offer": {}})):
        said = card(campaign, language=language)
        assert not re.search(r"\d", said.title + said.description)
    closed = card(own, language=language, usable=False)
    assert not re.search(r"\d", closed.title + closed.description)


def test_a_link_without_a_name_names_nobody() -> None:
    assert card(campaign_like_demo(), name=None).title == "Une invitation à découvrir Maison Demo"


def test_pictures_have_whole_addresses_and_a_drawing_is_no_picture_of_a_card() -> None:
    brand = campaign_like_demo().brand.model_dump()
    named = brand | {"logo": "logo.svg", "mail_logo": "logo.png", "picture": "shop.jpg"}
    stored = {"logo.svg": DRAWN, "logo.png": LOGO, "shop.jpg": PICTURE}
    wide = card(campaign_like_demo(brand=named, pictures=stored))
    assert wide.image
    assert wide.image.address == f"{ORIGIN}/pictures/demo-vip/{'b' * 32}.jpg"
    assert (wide.image.type, wide.image.is_wide) == ("image/jpeg", True)
    assert wide.icon
    assert wide.icon.address == f"/pictures/demo-vip/{'d' * 32}.svg"
    named["picture"] = None
    small = card(campaign_like_demo(brand=named, pictures=stored))
    assert small.image
    assert small.image.address.endswith(f"{'c' * 32}.png")
    assert not small.image.is_wide
    named["mail_logo"] = None
    assert card(campaign_like_demo(brand=named, pictures=stored)).image is None


@pytest.mark.parametrize("has_page", [True, False])
def test_whatever_a_campaign_and_a_name_contain_is_text(published: str, has_page: bool) -> None:
    brand = campaign_like_demo().brand
    spoilt = campaign_like_demo().model_copy(
        update={"brand": brand.model_copy(update={"name": EVIL}), "offer": {"fr": EVIL, "en": EVIL}}
    )
    shell = published if has_page else None
    plain = Head(share_page(shell, card(campaign_like_demo()), {"link": CODE}))
    given = {"link": CODE, "campaign": {"brand": {"name": EVIL}}}
    page = Head(share_page(shell, card(spoilt, name=EVIL), given))
    assert page.elements == plain.elements
    assert EVIL in page.metas["og:title"]
    assert EVIL in page.title
    assert page.metas["og:description"].startswith(EVIL)
    if has_page:
        assert json.loads(page.given) == given


def test_the_page_is_the_referees_in_the_readers_language_with_its_texts_preloaded(
    published: str,
) -> None:
    page = share_page(published, card(campaign_like_demo(), language="en"), {"link": CODE})
    assert '<html lang="en">' in page
    [texts] = re.findall(r'data-language="en"\s+data-texts="([^"]+)"', published)
    assert f'<link rel="preload" as="fetch" crossorigin href="{texts}">' in page
    assert page.count("<title>") == page.count("<head>") == page.count('id="theme-colour"') == 1
    body = published.partition("<body>")[2]
    assert page.partition("<body>")[2] == body
    assert re.findall(r'<script type="module" src="[^"]+"', page)


def test_without_the_referees_page_there_is_one_that_leads_to_it(published: str) -> None:
    campaign = campaign_like_demo()
    for shell in (None, published.replace("<!-- card -->", "")):
        page = share_page(shell, card(campaign), {"link": CODE})
        assert f'href="/referee/?campaign=demo-vip#link={CODE}"' in page
        assert "Voir l’invitation" in page
        assert Head(page).metas["og:title"] == "Solène vous invite chez Maison Demo"


def test_a_link_of_which_nothing_can_be_said_has_a_page_without_a_promise(published: str) -> None:
    page = page_without_card(published, {"link": EVIL, "status": 404})
    assert json.loads(Head(page).given) == {"link": EVIL, "status": 404}
    assert "og:title" not in Head(page).metas
    bare = page_without_card(None, {"link": CODE, "status": 503})
    assert all(f'lang="{one}"' in bare for one in LOCALES)
    assert "Réessayez dans un instant." in bare
    hers = page_without_card(None, {"link": CODE, "status": 503}, "en;q=0.1, pl")
    assert '<html lang="pl">' in hers
    assert "Try again" not in hers


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "fr"),
        ("en-GB,fr;q=0.5", "en"),
        ("pl,en", "en"),
        ("de", "fr"),
        ("*", "fr"),
        ("fr;q=0.3,en;q=0.9", "en"),
    ],
)
def test_the_language_is_one_of_the_campaigns(accepted: str, language: str) -> None:
    assert card_language(accepted, campaign_like_demo()) == language
