"""Mails: their texts in every locale, and how they become messages.

`contexts` has one frozen dataclass per mail, `words` writes what it says in a language, from the
catalogues of `chalicelib/texts` (`catalogues`), `render` puts that into the two layouts,
`templates/layout.html` and `templates/layout.txt`, so that text and HTML always say the same and
escaping is done in one place. `formats` has days, amounts and punctuation, `barcodes` the bar codes
of vouchers, `message` makes the MIME message, and `compile` compiles templates and catalogues ahead
of time.

Nothing here decides whether a mail is due, sends it, reads a clock or a store: `services` decide,
an adapter sends. Importing this package is cheap: the first `render` imports Jinja and Babel.
"""

from chalicelib.domain.locales import LOCALES
from chalicelib.mails.contexts import (
    AnyMail,
    CampaignTexts,
    ConfirmedMail,
    EndsSoonMail,
    InvitationMail,
    Logo,
    PrivacyMail,
    PrivacyNotice,
    ReplacedMail,
    RevokedMail,
    RewardMail,
    SignInMail,
    SignUpMail,
    VoucherMail,
)
from chalicelib.mails.render import Rendered, locale_of, render

__all__ = [
    "LOCALES",
    "AnyMail",
    "CampaignTexts",
    "ConfirmedMail",
    "EndsSoonMail",
    "InvitationMail",
    "Logo",
    "PrivacyMail",
    "PrivacyNotice",
    "Rendered",
    "ReplacedMail",
    "RevokedMail",
    "RewardMail",
    "SignInMail",
    "SignUpMail",
    "VoucherMail",
    "locale_of",
    "render",
]
