"""The page behind the link in every mail: what its recipient may refuse, and what she has refused.

It is made here and not by a script, because refusing must work without one. Its words are blocks
in the catalogue of mails. A refusal is answered with the same page for any token of a campaign.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.locales import LOCALES, wished_languages
from chalicelib.domain.people import OppositionScope
from chalicelib.mails.catalogues import words_in
from chalicelib.mails.formats import one_line, typeset
from chalicelib.mails.render import COMPILED, environment


def locale_for(accept_language: str, campaign: Campaign | None = None) -> str:
    """The most wanted language of an `Accept-Language` header that there are texts in; else the
    campaign's first, else the first of all.
    """
    others = campaign.locales if campaign else ()
    wanted = (*wished_languages(accept_language), *others, *LOCALES)
    return next(one for one in wanted if one in LOCALES)


def failure_page(accept_language: str) -> str:
    """The page in place of any that cannot be made: in the most wanted language that there are
    texts in, else in all of them.
    """
    wanted = (one for one in wished_languages(accept_language) if one in LOCALES)
    language = next(wanted, None)
    texts = {
        one: typeset(words_in(one, COMPILED)("page.not_shown"), one)
        for one in ([language] if language else LOCALES)
    }
    return environment().get_template("failure.html").render(texts=texts)


def unsubscribe_page(campaign: Campaign | None, locale: str, action: str) -> str:
    """The page of a token: of the campaign behind it, or that the link no longer works. `action` is
    where its form posts to.
    """
    if campaign is None:
        return _page(locale, "ended_title", ["ended_text"])
    return _page(locale, "title", ["intro"], action=action, brand=_brand(campaign))


@dataclass(frozen=True)
class _Brand:
    """Whose page it is, and what its frame shows of that."""

    name: str = "Tandem"
    logo: str | None = None
    owner: str = ""
    contact: str = ""
    rights_url: str = ""


def _brand(campaign: Campaign) -> _Brand:
    shown, logo = campaign.brand, campaign.picture(campaign.brand.logo)
    legal = shown.legal
    owner = [legal.name, legal.address, legal.registration] if legal else [shown.name]
    return _Brand(
        name=one_line(shown.name),
        logo=f"/{logo.path(campaign.id)}" if logo else None,
        owner=one_line(", ".join(filter(None, owner))),
        contact=one_line(shown.contact),
        rights_url=f"/privacy/?campaign={campaign.id}",
    )


def refused_page(campaign: Campaign | None, scope: OppositionScope, locale: str) -> str:
    """The page that answers a refusal; without a campaign behind the token it names no brand."""
    if campaign is None:
        nobody = words_in(locale, COMPILED)("unsubscribe.this_brand")
        return _page(locale, "done_title", [f"done_{scope}"], brand_in_words=nobody)
    return _page(locale, "done_title", [f"done_{scope}"], brand=_brand(campaign))


def _page(
    locale: str,
    title: str,
    paragraphs: list[str],
    *,
    action: str = "",
    brand: _Brand = _Brand(),
    brand_in_words: str | None = None,
) -> str:
    words = words_in(locale, COMPILED)

    def say(name: str) -> str:
        return typeset(
            words(f"unsubscribe.{name}", {"brand": brand_in_words or brand.name}), locale
        )

    choices = [
        {"scope": scope, "text": say(f"{scope}_text"), "action": say(f"{scope}_action")}
        for scope in (OppositionScope if action else ())
    ]
    return (
        environment()
        .get_template("unsubscribe.html")
        .render(
            locale=locale,
            title=say(title),
            paragraphs=[say(name) for name in paragraphs],
            brand=brand,
            action=action,
            choices=choices,
            rights=say("rights"),
        )
    )
