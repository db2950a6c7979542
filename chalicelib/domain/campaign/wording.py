"""What marketing may word itself: subjects and first sentences of mails, and what sponsors share.

A text may have places, like `{value}`, that are filled in for each reader. Which ones there are
depends on the mail: a place that nothing fills is refused, and so is the subject of an invitation
that does not name the sponsor (law 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from chalicelib.domain.campaign.fields import ONE_LINE, FileModel, Locale
from chalicelib.domain.campaign.rules import HolderRole

if TYPE_CHECKING:
    from chalicelib.domain.campaign.file import Campaign

_Subject = Annotated[
    str,
    Field(min_length=1, max_length=120, pattern=ONE_LINE, description="one line, without < or >"),
]
Subjects = Annotated[dict[Locale, _Subject], Field(min_length=1)]
_Intro = Annotated[
    str,
    Field(min_length=1, max_length=500, pattern=ONE_LINE, description="one line, without < or >"),
]
Intros = Annotated[dict[Locale, _Intro], Field(min_length=1)]
_Message = Annotated[
    str,
    Field(min_length=1, max_length=300, pattern=ONE_LINE, description="one line, without < or >"),
]


class MailWording(FileModel):
    """The subject and the first paragraph of one mail, in place of the standard ones."""

    subject: Subjects | None = None
    intro: Intros | None = None


class Mails(FileModel):
    """The wording of each mail that may have one of its own."""

    sign_in: MailWording = Field(default_factory=MailWording)
    invitation: MailWording = Field(default_factory=MailWording)
    sign_up: MailWording = Field(default_factory=MailWording)
    confirmed: MailWording = Field(default_factory=MailWording)
    voucher: MailWording = Field(default_factory=MailWording)
    further_voucher: MailWording = Field(default_factory=MailWording)
    reward: MailWording = Field(default_factory=MailWording)
    replaced: MailWording = Field(default_factory=MailWording)
    revoked: MailWording = Field(default_factory=MailWording)
    ends_soon: MailWording = Field(default_factory=MailWording)

    def of(self, kind: str) -> MailWording:
        """The wording of the mail of that kind: none for one that has no such texts."""
        found: MailWording = getattr(self, kind, MailWording())
        return found


class Share(FileModel):
    """What a sponsor's own link is shared with: she may change it."""

    message: Annotated[dict[Locale, _Message], Field(min_length=1)]


_ALWAYS = frozenset({"brand", "title"})
_OFFER = _ALWAYS | {"sponsor", "closes_on"}
_VOUCHER = _ALWAYS | {"value", "valid_until"}
PLACES: Mapping[str, frozenset[str]] = {
    "sign_in": _ALWAYS,
    "invitation": _OFFER,
    "sign_up": _OFFER,
    "confirmed": _ALWAYS,
    "voucher": _VOUCHER,
    "further_voucher": _VOUCHER,
    "reward": _VOUCHER,
    "replaced": _VOUCHER,
    "revoked": _ALWAYS | {"value"},
    "ends_soon": _VOUCHER,
}
NAMES_SPONSOR = frozenset({"invitation", "sign_up"})
# Of the first voucher that a rule grants the referee.
SHARE_PLACES = frozenset({"brand", "value", "minimum_basket"})


def places_in(text: str) -> list[str]:
    """The places of a text, in their order. `ValueError` for braces that make no place."""
    places = []
    for _, place, spec, conversion in Formatter().parse(text):
        if place is None:
            continue
        if spec or conversion or not place.isidentifier():
            raise ValueError("a place is a name between braces, like {brand}")
        places.append(place)
    return places


def filled(text: str, values: Mapping[str, object]) -> str:
    """The text with its places filled in. Values are not looked at for places of their own."""
    return text.format_map(values)


def wording_problems(campaign: Campaign) -> Iterator[str]:
    """Every problem of the texts, as `field: what is wrong`."""
    for kind, places in PLACES.items():
        wording = campaign.mails.of(kind)
        for part, texts in (("subject", wording.subject), ("intro", wording.intro)):
            field = f"mails.{kind}.{part}"
            yield from _place_problems(field, texts or {}, places)
            if part == "subject" and kind in NAMES_SPONSOR:
                for locale, text in (texts or {}).items():
                    if "{sponsor}" not in text:
                        yield f"{field}.{locale}: must have {{sponsor}}, the name of who invites"
    if campaign.share:
        yield from _place_problems("share.message", campaign.share.message, SHARE_PLACES)


def _place_problems(field: str, texts: Mapping[str, str], places: frozenset[str]) -> Iterator[str]:
    for locale, text in texts.items():
        try:
            found = places_in(text)
        except ValueError:
            yield f"{field}.{locale}: a brace must be part of a place like {{brand}}"
            continue
        for place in dict.fromkeys(found):
            if place not in places:
                known = ", ".join(f"{{{name}}}" for name in sorted(places))
                yield f"{field}.{locale}: nothing fills {{{place}}}: the places are {known}"


def share_message(campaign: Campaign) -> dict[str, str]:
    """What a sponsor's link is shared with, by language, with its places; none in a language whose
    text promises what no rule keeps.
    """
    first = next(iter(campaign.promises(HolderRole.REFEREE)), None)
    there = {"brand"}
    if first:
        there |= {"value", "minimum_basket"} if first.minimum_basket_minor else {"value"}
    texts = campaign.share.message if campaign.share else {}
    return {locale: text for locale, text in texts.items() if there >= {*places_in(text)}}


def wording_texts(campaign: Campaign) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every text by language that is there, under the name of its field."""
    for kind in PLACES:
        wording = campaign.mails.of(kind)
        for part, texts in (("subject", wording.subject), ("intro", wording.intro)):
            if texts:
                yield f"mails.{kind}.{part}", texts
    if campaign.share:
        yield "share.message", campaign.share.message
