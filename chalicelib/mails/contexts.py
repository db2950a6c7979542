"""The values of each mail: one frozen dataclass per kind, so that a missing value is a type error.

Values are checked where a wrong one would be dangerous and not merely ugly: a colour goes into CSS,
a link is clicked on, an invitation must name its sponsor. Everything else is text, which `render`
cleans and escapes. The repr of these classes shows no values: a log line must never contain a name,
an address, a code or a link.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from chalicelib.domain.benefits import Benefit
from chalicelib.domain.campaign.promises import Promise
from chalicelib.domain.campaign.templates import Use
from chalicelib.domain.campaign.wording import Mails
from chalicelib.mails.formats import one_line

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_WEB = re.compile(r"https?://[^\s<>\"']+")


def _require_web(*links: str) -> None:
    """Refuse anything but a web address: escaping would not stop `javascript:`."""
    for link in links:
        if not _WEB.fullmatch(link):
            raise ValueError("a link must be an absolute http or https address without spaces")


def _require_name(sponsor_name: str) -> None:
    """Law 2: the mail names the sponsor."""
    if not one_line(sponsor_name):
        raise ValueError("sponsor_name must not be empty: the mail names the sponsor")


@dataclass(frozen=True, kw_only=True, repr=False)
class PrivacyNotice:
    """Who is responsible for an address, and to whom its owner can turn (GDPR 14)."""

    controller: str
    controller_address: str
    dpo: str
    authority: Mapping[str, str]
    url: str

    def __post_init__(self) -> None:
        _require_web(self.url)


@dataclass(frozen=True, kw_only=True, repr=False)
class Logo:
    """The brand's logo as mails carry it: a PNG, and its size in pixels."""

    png: bytes
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, repr=False)
class CampaignTexts:
    """The values of the campaign file that every mail uses.

    `title`, `offer` and `sponsor_offer` are by locale, the last two empty where no rule grants
    anything; `for_referee` and `for_sponsor` are what the rules grant. `locales` is in the
    campaign's order, and the first one replaces an unknown locale. `contact` is the e-mail address
    for questions; `brand_colour` is `#rrggbb`. `rights_url` is the page where a person asks for her
    data or for their erasure. Campaigns of earlier versions have no `notice`.
    """

    brand_name: str
    brand_colour: str
    title: Mapping[str, str]
    offer: Mapping[str, str]
    sponsor_offer: Mapping[str, str]
    terms_url: str
    contact: str
    locales: tuple[str, ...]
    rights_url: str
    notice: PrivacyNotice | None = None
    currency: str = "EUR"
    for_referee: tuple[Promise, ...] = ()
    for_sponsor: tuple[Promise, ...] = ()
    wording: Mails = field(default_factory=Mails)
    logo: Logo | None = None
    shop_url: str | None = None
    support_url: str | None = None
    legal: str | None = None
    by_link_alone: bool = False

    def __post_init__(self) -> None:
        if not _COLOUR.fullmatch(self.brand_colour):
            raise ValueError("brand_colour must be #rrggbb")
        _require_web(self.terms_url, self.rights_url)
        _require_web(*filter(None, (self.shop_url, self.support_url)))


@dataclass(frozen=True, kw_only=True, repr=False)
class _Mail:
    """`unsubscribe_link` is the page for people, not the one-click URL of the header."""

    kind: ClassVar[str]
    campaign: CampaignTexts
    first_name: str | None
    unsubscribe_link: str

    def __post_init__(self) -> None:
        _require_web(self.unsubscribe_link)


@dataclass(frozen=True, kw_only=True, repr=False)
class SignInMail(_Mail):
    """To a sponsor on request: the link to the sponsor's space. `stop_link` is the page where who
    did not ask for it stops these mails.
    """

    kind: ClassVar[str] = "sign_in"
    link: str
    expires_minutes: int
    stop_link: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_web(self.link, self.stop_link)


@dataclass(frozen=True, kw_only=True, repr=False)
class PrivacyMail(_Mail):
    """To who asked for her data or for their erasure: the link that confirms it. `stop_link` is the
    page where who did not ask for it stops these mails.
    """

    kind: ClassVar[str] = "privacy_link"
    is_erasure: bool
    link: str
    expires_hours: int
    stop_link: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_web(self.link, self.stop_link)


@dataclass(frozen=True, kw_only=True, repr=False)
class _OfferMail(_Mail):
    """To a referee who has not consented to anything yet.

    `closes_on` is the last local day on which the invitation can be confirmed.
    """

    sponsor_name: str
    link: str
    closes_on: date

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_name(self.sponsor_name)
        _require_web(self.link)


@dataclass(frozen=True, kw_only=True, repr=False)
class InvitationMail(_OfferMail):
    """The one mail of a sponsor's invitation (law 2)."""

    kind: ClassVar[str] = "invitation"


@dataclass(frozen=True, kw_only=True, repr=False)
class SignUpMail(_OfferMail):
    """To an address entered on a shared link's page, to be confirmed (double opt-in)."""

    kind: ClassVar[str] = "sign_up"


@dataclass(frozen=True, kw_only=True, repr=False)
class ConfirmedMail(_Mail):
    """To a referee who has confirmed: that we know it. `waits`: the first voucher, whose code is
    mailed later; None when there is none.
    """

    kind: ClassVar[str] = "confirmed"
    waits: Benefit | None


@dataclass(frozen=True, kw_only=True, repr=False)
class _VoucherMail(_Mail):
    """A voucher for its holder: `code` as displayed, amounts in hundredths of `currency`.

    `valid_until` is the last local day on which it can be used (law 11). A `minimum_basket_minor`
    of None or 0 means no minimum. `use` says how it is used; `next_minor` is what the holder's next
    order earns, None when no rule says so.
    """

    code: str
    benefit: Benefit
    currency: str
    minimum_basket_minor: int | None
    valid_until: date
    rung: int | None
    use: Use | None = None
    next_minor: int | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class VoucherMail(_VoucherMail):
    """To a referee: the first voucher (`rung` None or 0), or that of a rung of the ladder."""

    kind: ClassVar[str] = "voucher"


@dataclass(frozen=True, kw_only=True, repr=False)
class RewardMail(_VoucherMail):
    """To a sponsor: a reward, a further one from rung 2 on. Says nothing about the referee."""

    kind: ClassVar[str] = "reward"


@dataclass(frozen=True, kw_only=True, repr=False)
class ReplacedMail(_VoucherMail):
    """To a sponsor or a referee: a code in place of one that was mailed, and is not accepted."""

    kind: ClassVar[str] = "replaced"
    is_sponsors: bool


@dataclass(frozen=True, kw_only=True, repr=False)
class EndsSoonMail(_VoucherMail):
    """To a holder who consented to the brand's news: an unused voucher ends soon."""

    kind: ClassVar[str] = "ends_soon"


@dataclass(frozen=True, kw_only=True, repr=False)
class RevokedMail(_Mail):
    """To a sponsor or a referee: a voucher that was mailed is not valid any more."""

    kind: ClassVar[str] = "revoked"
    benefit: Benefit
    is_sponsors: bool


HeldVoucherMail = VoucherMail | RewardMail | ReplacedMail | EndsSoonMail
AnyMail = (
    SignInMail | PrivacyMail | InvitationMail | SignUpMail | ConfirmedMail
    | HeldVoucherMail | RevokedMail
)  # fmt: skip
