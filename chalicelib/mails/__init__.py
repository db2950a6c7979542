"""Mails: what each one says, in every locale, and how it becomes a message.

`contexts` holds one frozen dataclass a mail, `render` turns one into subject, text and HTML,
`message` makes the MIME message of that, `formats` writes money and days the way a locale does, and
`compile` turns the templates into Python ahead of time. The words are in
`templates/{locale}/{kind}.txt`, as plain text; `templates/layout.txt` and `templates/layout.html`
are the two forms all of them take, so that the text and the HTML of a mail always say the same, and
escaping is done in one place.

Nothing here decides whether a mail is due, sends one, reads a clock or knows a store: `services`
decide, an adapter sends. Importing this package costs next to nothing: Jinja is imported by the
first `render`.
"""

from chalicelib.mails.contexts import (
    AnyMail,
    CampaignTexts,
    InvitationMail,
    RewardMail,
    SignInMail,
    SignUpMail,
    VoucherMail,
)
from chalicelib.mails.render import LOCALES, Rendered, locale_of, render

__all__ = [
    "LOCALES",
    "AnyMail",
    "CampaignTexts",
    "InvitationMail",
    "Rendered",
    "RewardMail",
    "SignInMail",
    "SignUpMail",
    "VoucherMail",
    "locale_of",
    "render",
]
