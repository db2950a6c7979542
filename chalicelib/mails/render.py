"""From a mail's context to its subject, text, HTML and pictures.

`words` says what the mail says, in one language; here it is put into the two layouts, of which the
HTML one escapes everything. So no text can forget to be escaped, and each link of the HTML is also
in the text. Compiled templates and catalogues are used if `compile` has made them, their sources
otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chalicelib.domain.locales import LOCALES
from chalicelib.mails.barcodes import BarCode, bar_code
from chalicelib.mails.catalogues import words_in
from chalicelib.mails.contexts import (
    AnyMail,
    CampaignTexts,
    EndsSoonMail,
    Logo,
    ReplacedMail,
    RewardMail,
    VoucherMail,
)
from chalicelib.mails.formats import ink_on, one_line, readable
from chalicelib.mails.words import Writer

if TYPE_CHECKING:
    from jinja2 import Environment

SOURCES: Final = Path(__file__).parent / "templates"
COMPILED: Final = Path(__file__).parent / "compiled"

_FONT: Final = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
_TICKET: Final = "#f6f5f0"
_TICKET_IN_DARK: Final = "#2f2f2b"
_LOGO_HEIGHT: Final = 40  # pixels, at most
_LOGO_WIDTH: Final = 280


@dataclass(frozen=True, kw_only=True, repr=False)
class Picture:
    """A PNG that a mail carries with it, under the id that its HTML names it by."""

    cid: str
    png: bytes
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, repr=False)
class Rendered:
    """A mail ready to be composed; `subject` is one line."""

    locale: str
    subject: str
    text: str
    html: str
    pictures: tuple[Picture, ...] = ()


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
    """The subject, text, HTML and pictures of `mail`, in the locale that `locale_of` chooses."""
    templates = environment(compiled)
    campaign = mail.campaign
    chosen = locale_of(locale, campaign)
    writer = Writer(mail, words_in(chosen, compiled), chosen)
    content = writer.content()
    logo = _shown(campaign.logo) if campaign.logo else None
    barcode = _barcode(mail)
    in_dark = readable(campaign.brand_colour, _TICKET_IN_DARK)
    shared = ("plain_link", "remarks_title", "refuse", "not_me", "terms", "notice", "rights",
              "support", "code_title", "footer")  # fmt: skip
    layout = {key: writer.say(key) for key in shared} | {
        "mail": content,
        "locale": chosen,
        "subject": content.subject,
        "preheader": content.preheader,
        "greeting": writer.greeting(),
        "colon": writer.say("colon"),
        "contact_label": writer.say("contact"),
        "barcode_title": writer.say("barcode"),
        "brand": one_line(campaign.brand_name),
        "contact": one_line(campaign.contact),
        "font": _FONT,
        "logo": logo,
        "barcode": barcode,
        "colour": campaign.brand_colour,
        "ink": ink_on(campaign.brand_colour),
        "accent": readable(campaign.brand_colour, _TICKET),
        "colour_in_dark": in_dark,
        "ink_in_dark": ink_on(in_dark),
        "legal": _legal(campaign),
        "terms_url": campaign.terms_url,
        "notice_url": campaign.notice.url if campaign.notice else None,
        "rights_url": campaign.rights_url,
        "support_url": campaign.support_url,
        "unsubscribe_link": mail.unsubscribe_link,
    }
    return Rendered(
        locale=chosen,
        subject=content.subject,
        text=templates.get_template("layout.txt").render(layout),
        html=templates.get_template("layout.html").render(layout),
        pictures=tuple(filter(None, (logo, barcode))),
    )


def _legal(campaign: CampaignTexts) -> str | None:
    """Who is behind the mail: the company as the campaign names it, else who decides on the use of
    the addresses.
    """
    if campaign.legal:
        return one_line(campaign.legal)
    notice = campaign.notice
    return one_line(f"{notice.controller} · {notice.controller_address}") if notice else None


def _shown(logo: Logo) -> Picture:
    """The logo in the size that it is shown in: half of its own, and never too large."""
    scale = min(0.5, _LOGO_HEIGHT / logo.height, _LOGO_WIDTH / logo.width)
    width, height = (max(1, round(side * scale)) for side in (logo.width, logo.height))
    return Picture(cid="logo", png=logo.png, width=width, height=height)


def _barcode(mail: AnyMail) -> Picture | None:
    if not isinstance(mail, VoucherMail | RewardMail | ReplacedMail | EndsSoonMail):
        return None
    if mail.use is None or mail.use.symbology is None:
        return None
    made: BarCode | None = bar_code(mail.code, mail.use.symbology)
    if made is None:
        return None
    return Picture(cid="barcode", png=made.png, width=made.width, height=made.height)


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
