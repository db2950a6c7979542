"""Which spellings of an address reach one mailbox, at the providers whose rules are known.

`mailbox` is used under our own key only (docs/decisions/0045): it may know more with each version,
whereas `Address.canonical` is a recipe that the client follows too. The vectors are
docs/vectors/mailboxes.json. A provider that is not here keeps what is typed: two people must never
become one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

# Country endings: `hotmail.be`, `outlook.com.br`, `yahoo.co.uk`.
_COUNTRY = r"(?:[a-z]{2}|com?\.[a-z]{2})"
# Microsoft and Yahoo own these names under every ending, as far as anybody can register mail there.
_LIVE = (
    r"(?:com|at|be|ca|ch|cl|cn|de|dk|fi|fr|hk|ie|in|it|jp|nl|no|ph|pt|ru|se"
    r"|co\.(?:kr|uk|za)|com\.(?:ar|au|mx|my|pt|sg))"
)
_MICROSOFT = re.compile(
    rf"(?:hotmail|outlook)\.(?:com|{_COUNTRY})|live\.{_LIVE}|(?:msn|windowslive|passport)\.com"
)
_YAHOO = re.compile(rf"yahoo\.(?:com|{_COUNTRY})|ymail\.com|rocketmail\.com|myyahoo\.com")
_YANDEX = re.compile(r"ya\.ru|yandex\.(?:ru|com|by|kz|ua|uz|com\.tr)")
_ZOHO = re.compile(rf"zoho(?:mail)?\.(?:com|{_COUNTRY})")
_FASTMAIL = ("fastmail.com", "fastmail.fm", "messagingengine.com", "sent.com")
_TAGS_ONLY = frozenset(
    ("hey.com", "mailbox.org", "posteo.de", "posteo.net", "runbox.com", *_FASTMAIL)
)
_ONE_DOMAIN: Mapping[str, str] = {
    "googlemail.com": "gmail.com",
    "mac.com": "icloud.com",
    "me.com": "icloud.com",
    "pm.me": "proton.me",
    "protonmail.ch": "proton.me",
    "protonmail.com": "proton.me",
}

Spelling = Callable[[str], str]


def mailbox(local: str, domain: str) -> str:
    """The one spelling of a mailbox for all its addresses. `local` and `domain` are normalised."""
    local, domain = _own_domain_of(local, domain)
    domain = _ONE_DOMAIN.get(domain, domain)
    if _YANDEX.fullmatch(domain):
        domain = "yandex.ru"
    # What is left of `+tag@gmail.com` would be nobody.
    return f"{_spelling_at(domain)(local) or local}@{domain}"


def _own_domain_of(local: str, domain: str) -> tuple[str, str]:
    """`anything@paul.fastmail.com` is one of `paul@fastmail.com`."""
    name, _, parent = domain.partition(".")
    return (name, parent) if parent in _FASTMAIL else (local, domain)


def _spelling_at(domain: str) -> Spelling:
    if domain == "gmail.com":
        return lambda local: _untagged(local).replace(".", "")
    if domain == "proton.me":
        return lambda local: re.sub(r"[._-]", "", _untagged(local))
    if domain == "yandex.ru":
        return lambda local: _untagged(local).replace(".", "-")
    if _YAHOO.fullmatch(domain):
        # No account has a hyphen in its name: it begins the keyword of a disposable address.
        return lambda local: _untagged(local).partition("-")[0]
    if domain == "icloud.com" or domain in _TAGS_ONLY:
        return _untagged
    if _MICROSOFT.fullmatch(domain) or _ZOHO.fullmatch(domain):
        return _untagged
    return lambda local: local


def _untagged(local: str) -> str:
    return local.partition("+")[0]
