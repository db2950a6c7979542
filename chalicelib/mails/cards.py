"""The page of a shared link: the referee's page, with a card in its head for messengers.

A messenger's crawler runs no script and follows no fragment: it reads title, description and
picture, which say who invites, to whom, and what the rules grant, no more. The rest of the page is
the referee's as it is published. Where that cannot be read, there is a page that leads to it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.domain.campaign.brand import CONTENT_TYPES, Picture
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole, Trigger
from chalicelib.domain.locales import wished_languages
from chalicelib.mails.catalogues import words_in
from chalicelib.mails.formats import long_day, money_text, one_line, typeset
from chalicelib.mails.pages import failure_page
from chalicelib.mails.render import COMPILED, environment

_HEAD: Final = re.compile(r"<!-- card -->.*<!-- /card -->", re.DOTALL)
_LANG: Final = re.compile(r'<html lang="[a-z]{2}">')
_TEXTS: Final = r'data-language="{}"\s+data-texts="(/assets/[0-9a-f]+\.json)"'
_WIDE: Final = 600  # pixels: from there on a messenger shows a picture across the card


@dataclass(frozen=True)
class Image:
    """A picture of the campaign, as a card names it."""

    address: str
    type: str
    width: int
    height: int

    @property
    def is_wide(self) -> bool:
        """Whether it is shown across the card, not beside its words."""
        return self.width >= _WIDE and self.width > self.height


@dataclass(frozen=True)
class Card:
    """What the head says of a link, in one language. `target`: the page without a card."""

    language: str
    locale: str
    brand: str
    colour: str
    title: str
    description: str
    action: str
    url: str
    target: str
    image: Image | None
    icon: Image | None


def card_language(accept_language: str, campaign: Campaign) -> str:
    """The most wanted language of an `Accept-Language` header that the campaign has, else its
    first.
    """
    wanted = (*wished_languages(accept_language), *campaign.locales)
    return next(one for one in wanted if one in campaign.locales)


def card_of(
    campaign: Campaign,
    link_code: str,
    sponsor_name: str | None,
    *,
    language: str,
    origin: str,
    is_open: bool,
) -> Card:
    """The card of a link. `origin`: of the pages, since a crawler takes whole addresses alone."""
    words, brand = words_in(language, COMPILED), one_line(campaign.brand.name)

    def say(key: str, **values: str) -> str:
        return typeset(one_line(words(key, {"brand": brand, **values})), language)

    name = one_line(sponsor_name or "")
    title = say("card.title", sponsor=name) if name else say("card.title_without_name")
    return Card(
        language=language,
        locale=_REGIONS[language],
        brand=brand,
        colour=campaign.brand.colour,
        title=title,
        description=_offer(campaign, language) if is_open else say("card.closed"),
        action=say("card.action"),
        url=f"{origin}/p/{link_code}",  # the path: api/operations.py
        target=f"/referee/?campaign={campaign.id}#link={link_code}",
        image=_image(campaign, (campaign.brand.picture, campaign.brand.logo_for_mails), origin),
        icon=_image(campaign, (campaign.brand.logo,), ""),
    )


_REGIONS: Final = {"fr": "fr_FR", "en": "en_GB", "pl": "pl_PL", "es": "es_ES", "it": "it_IT"}


def _offer(campaign: Campaign, language: str) -> str:
    """What a referee gets, by the rules: the campaign's own words where they are kept, else the
    voucher of the confirmation; neither, where no rule grants anything.
    """
    words = words_in(language, COMPILED)
    promises = campaign.promises(HolderRole.REFEREE)
    own = campaign.offer_to(HolderRole.REFEREE).get(language)
    end = words("card.until", {"day": long_day(campaign.ends_on, language)})
    if promises and own:
        offer = f"{own} {end}"
    elif promises and promises[0].when is Trigger.REFERRAL_CONFIRMED:
        minimum = promises[0].minimum_basket_minor
        least = {"minimum": money_text(minimum, campaign.currency, language)}
        condition = words("ticket.minimum" if minimum else "ticket.no_minimum", least)
        value = money_text(promises[0].value_minor, campaign.currency, language)
        offer = f"{words('card.voucher', {'value': value, 'condition': condition})} {end}"
    else:
        offer = words("card.plain")
    return typeset(one_line(offer), language)


def _image(campaign: Campaign, names: tuple[str | None, ...], origin: str) -> Image | None:
    """The first of these pictures that is stored."""
    found: Picture | None = next(filter(None, map(campaign.picture, names)), None)
    if found is None:
        return None
    address = f"{origin}/{found.path(campaign.id)}"
    return Image(address, CONTENT_TYPES[found.kind], found.width, found.height)


def share_page(published: str | None, card: Card, given: dict[str, Any]) -> str:
    """The page of a link. `given`: what its script needs not ask the API for."""
    templates = environment()
    if published is None or not _HEAD.search(published):
        return templates.get_template("share.html").render(card=card)
    head = templates.get_template("card.html").render(card=card)
    texts = re.search(_TEXTS.format(card.language), published)
    if texts:
        head += f'<link rel="preload" as="fetch" crossorigin href="{texts[1]}">\n'
    page = _LANG.sub(f'<html lang="{card.language}">', published, count=1)
    return _with_head(page, head + _block(given))


def page_without_card(
    published: str | None, given: dict[str, Any], accept_language: str = ""
) -> str:
    """The page of a link of which nothing can be said: the script says what is wrong with it."""
    if published is None or not (found := _HEAD.search(published)):
        return failure_page(accept_language)
    return _with_head(published, found[0] + _block(given))


def _with_head(page: str, head: str) -> str:
    return _HEAD.sub(lambda _: head, page, count=1)


def _block(given: dict[str, Any]) -> str:
    """JSON that a page can hold: no text in it ends the element or begins another."""
    text = json.dumps(given, ensure_ascii=True, separators=(",", ":"))
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return f'<script type="application/json" id="given">{text}</script>'
