"""What each mail says: its words in one language, in the order of the layout.

One function a mail. A sentence about a voucher is made of what the rules grant, never of a fixed
text: where no rule grants anything there is no such sentence. A campaign's own subject and intro
take the place of the standard ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from chalicelib.domain.campaign.promises import Promise
from chalicelib.domain.campaign.rules import Trigger
from chalicelib.domain.campaign.wording import filled
from chalicelib.mails.catalogues import Words
from chalicelib.mails.contexts import (
    AnyMail,
    ConfirmedMail,
    EndsSoonMail,
    HeldVoucherMail,
    InvitationMail,
    PrivacyMail,
    ReplacedMail,
    RevokedMail,
    RewardMail,
    SignInMail,
    SignUpMail,
    VoucherMail,
)
from chalicelib.mails.formats import benefit_text, long_day, money_text, one_line, typeset

_PARAGRAPHS = re.compile(r"\n[ \t]*\n")
HOURS_FROM = 120  # from there on a time is said in hours

Values = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, repr=False)
class Ticket:
    """What is given: the first voucher large, with its condition; then row by row."""

    value: str | None
    condition: str | None
    rows: tuple[tuple[str, str], ...] = ()
    note: str | None = None
    text: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Content:
    """The words of one mail, each on one line. `link`: where its one button leads."""

    subject: str
    preheader: str
    heading: str
    paragraphs: tuple[str, ...]
    remarks: tuple[str, ...]
    information: tuple[str, ...] = ()
    ticket: Ticket | None = None
    action: str | None = None
    link: str | None = None
    is_personal_link: bool = False
    code: str | None = None
    last_day: str | None = None
    next_step: str | None = None
    stop_link: str | None = None


class Writer:
    """Writes one mail in one language."""

    def __init__(self, mail: AnyMail, words: Words, locale: str) -> None:
        campaign = mail.campaign
        notice = campaign.notice
        self._mail = mail
        self._words = words
        self._locale = locale
        self._values = {
            "brand": one_line(campaign.brand_name),
            "title": one_line(campaign.title[locale]),
            "contact": one_line(campaign.contact),
            "controller": one_line(notice.controller if notice else campaign.brand_name),
            "dpo": one_line(notice.dpo if notice else campaign.contact),
            "authority": one_line(notice.authority[locale]) if notice else "",
        }

    # --- words -----------------------------------------------------------------------------------

    def say(self, key: str, **values: str) -> str:
        """One line of the catalogue."""
        return typeset(one_line(self._words(key, {**self._values, **values})), self._locale)

    def _paragraphs(self, *keys: str, **values: str) -> tuple[str, ...]:
        """The paragraphs of some keys."""
        texts = (self._words(key, {**self._values, **values}) for key in keys)
        return tuple(
            typeset(one_line(part), self._locale)
            for text in texts
            for part in _PARAGRAPHS.split(text)
        )

    def _own(self, kind: str, part: str, key: str, **values: str) -> str:
        """The campaign's own text for a part of a mail, else that of the catalogue."""
        texts: Mapping[str, str] = getattr(self._mail.campaign.wording.of(kind), part, None) or {}
        if self._locale in texts:
            own = filled(texts[self._locale], {**self._values, **values})
            return typeset(one_line(own), self._locale)
        return self.say(key, **values)

    def _money(self, minor: int) -> str:
        return money_text(minor, self._mail.campaign.currency, self._locale)

    def greeting(self) -> str:
        """How the recipient is greeted."""
        name = one_line(self._mail.first_name or "")
        return self.say("greeting.name", first_name=name) if name else self.say("greeting")

    # --- what is given ---------------------------------------------------------------------------

    def _offer(self) -> Ticket | None:
        """What a referee is offered: the campaign's own words, or those of its rules."""
        promises = self._mail.campaign.for_referee
        text = self._mail.campaign.offer.get(self._locale)
        if not promises:
            return None
        first, *further = promises
        at_once = first.when is Trigger.REFERRAL_CONFIRMED
        rows = () if text else self._rows(further if at_once else promises, "rung")
        return Ticket(
            value=self._money(first.value_minor) if at_once else None,
            condition=self._condition(first.minimum_basket_minor) if at_once else None,
            rows=rows,
            note=self._note(rows, promises),
            text=typeset(one_line(text), self._locale) if text else None,
        )

    def _reward(self) -> Ticket | None:
        """What a sponsor earns: the same."""
        promises = self._mail.campaign.for_sponsor
        text = self._mail.campaign.sponsor_offer.get(self._locale)
        if not promises:
            return None
        rows = () if text else self._rows(promises, "sponsor_rung")
        return Ticket(
            value=None,
            condition=None,
            rows=rows,
            note=self._note(rows, promises),
            text=typeset(one_line(text), self._locale) if text else None,
        )

    def _condition(self, minimum_minor: int | None) -> str:
        if not minimum_minor:
            return self.say("ticket.no_minimum")
        return self.say("ticket.minimum", minimum=self._money(minimum_minor))

    def _rows(
        self, promises: tuple[Promise, ...] | list[Promise], prefix: str
    ) -> tuple[tuple[str, str], ...]:
        return tuple((self._rung(one, prefix), self._money(one.value_minor)) for one in promises)

    def _rung(self, promise: Promise, prefix: str) -> str:
        match promise.when:
            case Trigger.REFERRAL_CONFIRMED:
                label = self.say(f"{prefix}.confirmation")
            case Trigger.VOUCHER_REDEEMED:
                label = self.say(f"{prefix}.redeemed")
            case _ if promise.order is None:
                label = self.say(f"{prefix}.each")
            case _:
                named = promise.order <= (3 if prefix == "rung" else 1)
                key = str(promise.order) if named else "nth"
                label = self.say(f"{prefix}.{key}", order=str(promise.order))
        if promise.least_order_minor:
            least = self._money(promise.least_order_minor)
            return self.say("rung.least", rung=label, least=least)
        return label

    def _note(self, rows: tuple[object, ...], promises: tuple[Promise, ...]) -> str | None:
        kept = any(one.when is Trigger.ORDER_KEPT for one in promises)
        return self.say("rung.kept") if rows and kept else None

    # --- mails -----------------------------------------------------------------------------------

    def content(self) -> Content:
        """The words of the mail."""
        mail = self._mail
        match mail:
            case SignInMail():
                return self._sign_in(mail)
            case PrivacyMail():
                return self._privacy(mail)
            case InvitationMail() | SignUpMail():
                return self._invitation(mail)
            case ConfirmedMail():
                return self._confirmed(mail)
            case RevokedMail():
                return self._revoked(mail)
            case VoucherMail() | RewardMail() | ReplacedMail() | EndsSoonMail():
                return self._voucher(mail)
            case _:
                assert_never(mail)

    def _duration(self, minutes: int) -> str:
        if minutes >= HOURS_FROM:
            return self._words.counted("duration.hours", minutes // 60)
        return self._words.counted("duration.minutes", minutes)

    def _sign_in(self, mail: SignInMail) -> Content:
        duration = self._duration(mail.expires_minutes)
        intro = "sign_in.intro_link" if mail.campaign.by_link_alone else "sign_in.intro"
        return Content(
            subject=self._own("sign_in", "subject", "sign_in.subject"),
            preheader=self.say("sign_in.preheader", duration=duration),
            heading=self.say("sign_in.heading"),
            paragraphs=(self._own("sign_in", "intro", intro),),
            ticket=self._reward(),
            action=self.say("sign_in.action"),
            link=mail.link,
            is_personal_link=True,
            remarks=self._paragraphs("sign_in.remarks", duration=duration),
            stop_link=mail.stop_link,
        )

    def _privacy(self, mail: PrivacyMail) -> Content:
        kind = "privacy_erasure" if mail.is_erasure else "privacy_file"
        duration = self._duration(60 * mail.expires_hours)
        return Content(
            subject=self.say(f"{kind}.subject"),
            preheader=self.say("privacy.preheader", duration=duration),
            heading=self.say(f"{kind}.heading"),
            paragraphs=self._paragraphs(f"{kind}.intro"),
            action=self.say(f"{kind}.action"),
            link=mail.link,
            is_personal_link=True,
            remarks=self._paragraphs("privacy.remarks", duration=duration),
            information=(*self._paragraphs("privacy.information"), self._rights()),
            stop_link=mail.stop_link,
        )

    def _rights(self) -> str:
        rights = self.say("share_of_rights")
        return f"{rights} {self.say('complaint')}" if self._values["authority"] else rights

    def _invitation(self, mail: InvitationMail | SignUpMail) -> Content:
        kind = mail.kind
        values = {
            "sponsor": one_line(mail.sponsor_name),
            "closes_on": long_day(mail.closes_on, self._locale),
        }
        preheader = "offer.preheader" if kind == "invitation" else "sign_up.preheader"
        information = self._paragraphs(f"{kind}.information", "providers", **values)
        return Content(
            subject=self._own(kind, "subject", f"{kind}.subject", **values),
            preheader=self.say(preheader, **values),
            heading=self.say(f"{kind}.heading", **values),
            paragraphs=(self._own(kind, "intro", f"{kind}.intro", **values),),
            ticket=self._offer(),
            action=self.say(f"{kind}.action"),
            link=mail.link,
            is_personal_link=True,
            remarks=self._paragraphs(f"{kind}.remarks", **values),
            information=(*information, self._rights()),
        )

    def _confirmed(self, mail: ConfirmedMail) -> Content:
        waits: tuple[str, ...] = ()
        if mail.waits:
            value = benefit_text(mail.waits, self._locale, self._words)
            waits = (self.say("confirmed.waits", value=value),)
        return Content(
            subject=self._own("confirmed", "subject", "confirmed.subject"),
            preheader=self.say("confirmed.preheader"),
            heading=self.say("confirmed.heading"),
            paragraphs=(self._own("confirmed", "intro", "confirmed.intro"), *waits),
            action=self.say("shop_action") if mail.campaign.shop_url else None,
            link=mail.campaign.shop_url,
            remarks=self._paragraphs("confirmed.remarks"),
        )

    def _revoked(self, mail: RevokedMail) -> Content:
        value = benefit_text(mail.benefit, self._locale, self._words)
        intro = "revoked.sponsor_intro" if mail.is_sponsors else "revoked.intro"
        return Content(
            subject=self._own("revoked", "subject", "revoked.subject", value=value),
            preheader=self.say("revoked.preheader"),
            heading=self.say("revoked.heading"),
            paragraphs=(self._own("revoked", "intro", intro, value=value),),
            remarks=self._paragraphs("revoked.remarks"),
        )

    def _voucher(self, mail: HeldVoucherMail) -> Content:
        kind, key = _wording_of(mail)
        values = {
            "value": benefit_text(mail.benefit, self._locale, self._words),
            "valid_until": long_day(mail.valid_until, self._locale),
        }
        link = (mail.use and mail.use.online) or mail.campaign.shop_url
        paragraphs = [self._own(kind, "intro", key, **values), self._how(mail)]
        return Content(
            subject=self._own(kind, "subject", f"{kind}.subject", **values),
            preheader=self.say(f"{_preheader_of(kind)}.preheader", **values),
            heading=self.say(f"{kind}.heading"),
            paragraphs=tuple(paragraphs),
            ticket=Ticket(
                value=values["value"], condition=self._condition(mail.minimum_basket_minor)
            ),
            code=one_line(mail.code),
            last_day=self.say("last_day", **values),
            action=self.say("use_action") if link else None,
            link=link,
            next_step=self.say("next_step", value=self._money(mail.next_minor))
            if mail.next_minor
            else None,
            remarks=self._paragraphs("personal_code", _why_of(mail)),
        )

    def _how(self, mail: HeldVoucherMail) -> str:
        use = mail.use
        if use and use.how and self._locale in use.how:
            return typeset(one_line(use.how[self._locale]), self._locale)
        return self.say("how.shop" if use and use.shop else "how.online")


def _wording_of(mail: HeldVoucherMail) -> tuple[str, str]:
    """Which mail it is for the campaign's own words, and the key of the standard intro."""
    if isinstance(mail, VoucherMail):
        kind = "further_voucher" if mail.rung else "voucher"
        return kind, f"{kind}.intro"
    if isinstance(mail, RewardMail):
        is_further = (mail.rung or 0) > 1
        return "reward", "further_reward.intro" if is_further else "reward.intro"
    return mail.kind, f"{mail.kind}.intro"


def _preheader_of(kind: str) -> str:
    return "voucher" if kind == "further_voucher" else kind


def _why_of(mail: HeldVoucherMail) -> str:
    if isinstance(mail, EndsSoonMail):
        return "ends_soon.why"
    to_sponsor = isinstance(mail, RewardMail) or (
        isinstance(mail, ReplacedMail) and mail.is_sponsors
    )
    return "reward.why" if to_sponsor else "voucher.why"
