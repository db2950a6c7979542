"""The words of a pass, in each language of the campaign. A phone shows those of its own language.

A wallet is given the words of the campaign's first language, and for each of its other languages
what takes their place.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.vouchers import Voucher
from chalicelib.mails.catalogues import words_in
from chalicelib.mails.formats import benefit_text, long_day, money_text, one_line, typeset
from chalicelib.mails.render import COMPILED


@dataclass(frozen=True, kw_only=True, repr=False)
class PassTexts:
    """What a pass says in one language; `minimum` is None where any basket will do."""

    title: str
    value_label: str
    value: str
    minimum_label: str
    minimum: str | None
    last_day_label: str
    last_day: str
    code_label: str
    use_label: str
    use: str
    note_label: str
    note: str
    terms_label: str
    contact_label: str
    shop_label: str


def texts_by_locale(campaign: Campaign, voucher: Voucher) -> dict[str, PassTexts]:
    """The words in each language of the campaign, its first one first."""
    return {locale: pass_texts(campaign, voucher, locale) for locale in campaign.locales}


def pass_texts(campaign: Campaign, voucher: Voucher, locale: str) -> PassTexts:
    """The words in one language."""
    words = words_in(locale, COMPILED)
    brand = one_line(campaign.brand.name)
    value = benefit_text(voucher.benefit, locale, words)

    def say(key: str, **values: str) -> str:
        return typeset(one_line(words(key, {"brand": brand, **values})), locale)

    template = campaign.templates.get(voucher.template)
    use = template.use if template else None
    own = use.how.get(locale) if use and use.how else None
    minimum = voucher.minimum_basket_minor
    return PassTexts(
        title=say("wallet.title", value=value),
        value_label=say("wallet.value"),
        value=value,
        minimum_label=say("wallet.minimum"),
        minimum=money_text(minimum, voucher.currency, locale) if minimum else None,
        last_day_label=say("wallet.last_day"),
        last_day=long_day(campaign.local_date(voucher.valid_until), locale),
        code_label=say("code_title"),
        use_label=say("wallet.use"),
        use=typeset(one_line(own), locale) if own else say(_standard_use(use)),
        note_label=say("remarks_title"),
        note=f"{say('personal_code')} {say('wallet.note')}",
        terms_label=say("terms"),
        contact_label=say("wallet.contact"),
        shop_label=say("shop_action"),
    )


def _standard_use(use: object) -> str:
    return "how.shop" if getattr(use, "shop", False) else "how.online"
