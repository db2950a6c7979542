"""Mails: their texts in every locale, and how they become messages.

`contexts` has one frozen dataclass per mail, `render` turns it into subject, text and HTML,
`message` makes the MIME message, `formats` formats days and punctuation by locale, and `compile`
compiles the templates to Python ahead of time. The words are plain text in
`templates/{locale}/{kind}.txt`; `templates/layout.txt` and `templates/layout.html` are the two
layouts of all mails, so that text and HTML always say the same and escaping is done in one place.

Nothing here decides whether a mail is due, sends it, reads a clock or a store: `services` decide,
an adapter sends. Importing this package is cheap: Jinja is imported by the first `render`.
"""

from chalicelib.mails.contexts import (
    AnyMail,
    CampaignTexts,
    InvitationMail,
    PrivacyMail,
    PrivacyNotice,
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
    "PrivacyMail",
    "PrivacyNotice",
    "Rendered",
    "RewardMail",
    "SignInMail",
    "SignUpMail",
    "VoucherMail",
    "locale_of",
    "render",
]
