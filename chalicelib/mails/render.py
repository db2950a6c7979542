"""From a mail's context to its subject, text and HTML.

The words of a mail are blocks of a plain-text template of its locale. They are rendered, cleaned
and typeset first, then put into the two layouts, of which the HTML one escapes everything. So no
template can forget to escape, and each link of the HTML is also in the text.

Compiled templates are used if `compile` has made them, the source files otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chalicelib.domain.benefits import describe
from chalicelib.domain.money import money_text
from chalicelib.mails.contexts import (
    AnyMail,
    CampaignTexts,
    PrivacyMail,
    PrivacyNotice,
    RewardMail,
    SignInMail,
    VoucherMail,
)
from chalicelib.mails.formats import ink_on, long_day, one_line, typeset

if TYPE_CHECKING:
    from jinja2 import Environment

LOCALES: Final = ("fr", "en")
SOURCES: Final = Path(__file__).parent / "templates"
COMPILED: Final = Path(__file__).parent / "compiled"

_PARAGRAPHS = re.compile(r"\n[ \t]*\n")
_ON_SOME_MAILS: Final = (
    "link",
    "stop_link",
    "code",
    "value",
    "minimum_basket",
    "valid_until",
)


@dataclass(frozen=True, kw_only=True, repr=False)
class Rendered:
    """A mail ready to be composed; `subject` is one line."""

    locale: str
    subject: str
    text: str
    html: str


def locale_of(wanted: str | None, campaign: CampaignTexts) -> str:
    """The locale of a mail: the wanted one (`fr`, `fr-BE`), else the campaign's first.

    Raises LookupError when this package has texts for none of the campaign's locales.
    """
    known = [locale for locale in campaign.locales if locale in LOCALES]
    if not known:
        raise LookupError("no mail texts for any of the campaign's locales")
    language = (wanted or "").lower().replace("_", "-").partition("-")[0]
    return language if language in known else known[0]


def render(mail: AnyMail, locale: str | None, *, compiled: Path = COMPILED) -> Rendered:
    """The subject, text and HTML of `mail`, in the locale that `locale_of` chooses."""
    templates = environment(compiled)
    chosen = locale_of(locale, mail.campaign)
    values = _values(mail, chosen)
    words = words_of(f"{chosen}/common.txt", values, compiled=compiled)
    words |= words_of(f"{chosen}/{mail.kind}.txt", values, compiled=compiled)
    page = {name: typeset(" ".join(parts), chosen) for name, parts in words.items()}
    layout = page | {
        **{name: values.get(name) for name in _ON_SOME_MAILS},
        "locale": chosen,
        "brand_name": values["brand_name"],
        "colour": mail.campaign.brand_colour,
        "ink": ink_on(mail.campaign.brand_colour),
        "terms_url": mail.campaign.terms_url,
        "contact": values["contact"],
        "notice_url": values["notice_url"],
        "rights_url": mail.campaign.rights_url,
        "information": [typeset(part, chosen) for part in words.get("information", [])],
        "unsubscribe_link": values["unsubscribe_link"],
        "paragraphs": [typeset(part, chosen) for part in words["body"]],
        "remarks": [typeset(part, chosen) for part in words["remarks"]],
    }
    return Rendered(
        locale=chosen,
        subject=page["subject"],
        text=templates.get_template("layout.txt").render(layout),
        html=templates.get_template("layout.html").render(layout),
    )


def environment(compiled: Path = COMPILED) -> Environment:
    """The templates: as compiled where that was done, else their sources."""
    return _environment(compiled if compiled.is_dir() else None)


def source_environment() -> Environment:
    """The environment that reads the template sources, for `compile`."""
    return _environment(None)


@cache
def _environment(compiled: Path | None) -> Environment:
    from jinja2 import (  # imported by the first mail, not at every cold start
        Environment,
        FileSystemLoader,
        ModuleLoader,
        StrictUndefined,
        select_autoescape,
    )

    return Environment(
        loader=ModuleLoader(compiled) if compiled else FileSystemLoader(SOURCES),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )


def _values(mail: AnyMail, locale: str) -> Mapping[str, str | int | None]:
    """The variables of a template, each text on one line."""
    campaign = mail.campaign
    values: dict[str, str | int | None] = {
        "brand_name": campaign.brand_name,
        "campaign_title": campaign.title[locale],
        "offer": campaign.offer[locale],
        "sponsor_offer": campaign.sponsor_offer[locale],
        "contact": campaign.contact,
        "first_name": mail.first_name,
        **_notice(campaign.notice, locale),
        "unsubscribe_link": mail.unsubscribe_link,
    }
    if isinstance(mail, VoucherMail | RewardMail):
        values |= {
            "code": mail.code,
            "value": describe(mail.benefit, locale),
            "minimum_basket": money_text(mail.minimum_basket_minor, mail.currency, locale)
            if mail.minimum_basket_minor
            else None,
            "valid_until": long_day(mail.valid_until, locale),
            "rung": mail.rung or 0,
            "replaces_earlier": mail.replaces_earlier,
        }
    elif isinstance(mail, PrivacyMail):
        values |= {
            "is_erasure": mail.is_erasure,
            "link": mail.link,
            "expires_hours": mail.expires_hours,
            "stop_link": mail.stop_link,
        }
    elif isinstance(mail, SignInMail):
        values |= {
            "link": mail.link,
            "expires_minutes": mail.expires_minutes,
            "expires_hours": mail.expires_minutes // 60,
            "stop_link": mail.stop_link,
        }
    else:
        values |= {
            "sponsor_name": mail.sponsor_name,
            "link": mail.link,
            "closes_on": long_day(mail.closes_on, locale),
        }
    return {
        name: one_line(value) if isinstance(value, str) else value for name, value in values.items()
    }


def _notice(notice: PrivacyNotice | None, locale: str) -> dict[str, str | None]:
    return {
        "controller": notice.controller if notice else None,
        "controller_address": notice.controller_address if notice else None,
        "dpo": notice.dpo if notice else None,
        "authority": notice.authority[locale] if notice else None,
        "notice_url": notice.url if notice else None,
    }


def words_of(
    name: str, values: Mapping[str, str | int | None], *, compiled: Path = COMPILED
) -> dict[str, list[str]]:
    """The blocks of a template, each as its paragraphs, which are separated by blank lines."""
    template = environment(compiled).get_template(name)
    context = template.new_context(dict(values))
    return {
        block: [
            one_line(part) for part in _PARAGRAPHS.split("".join(lines(context))) if part.strip()
        ]
        for block, lines in template.blocks.items()
    }
