"""Mail addresses: their syntax, their forms, their digests, and what may be shown of them.

Owns the digest recipe published with docs/vectors/digests.json: `Address.normalised`, `canonical`,
and `digest`.
Refuses, with a named reason, addresses that no public mail system accepts (quoted local parts,
address literals, bare host names). Knowledge of mail providers is in providers.py. Stores nothing:
where an address is stored, and until when, is decided in adapters/dynamodb/schema.py; lists of
digests are looked up in adapters/lists.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from chalicelib.domain.invisible import INVISIBLE
from chalicelib.domain.mailboxes import mailbox
from chalicelib.domain.providers import domain_meant, is_disposable, is_role

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

SyntaxReason = Literal[
    "empty",
    "too_long",
    "white_space",
    "control_character",
    "no_at_sign",
    "several_at_signs",
    "local_part_too_long",
    "bad_local_part",
    "bad_domain",
]
QualityReason = Literal["role_address", "disposable_address", "undeliverable_address"]
Algorithm = Literal["hmac_sha256", "sha256"]

# Our own key: no client knows it, and it is never replaced. The id of a pair names the forms too:
# since the second one, the alias form is the mailbox (mailboxes.py), which knows more providers
# than the recipe that is published.
OWN_KEY = "tandem"
OWN_KEY_ID = "tandem.2"
OWN_KEY_IDS = frozenset((OWN_KEY, OWN_KEY_ID))
# The key of somebody who was erased: a random id stands in the place of her digests.
ERASED_KEY_ID = "erased"
RESERVED_KEY_IDS = (OWN_KEY, ERASED_KEY_ID)

MAX_ADDRESS = 254  # octets, RFC 5321 by way of its erratum 1690
MAX_LOCAL_PART = 64  # octets

# Part of the published recipe: a change here changes digests, so it is a new normalisation id.
PLUS_TAG_DOMAINS = frozenset(
    (
        "fastmail.com",
        "gmail.com",
        "hotmail.com",
        "hotmail.fr",
        "icloud.com",
        "live.com",
        "live.fr",
        "mac.com",
        "me.com",
        "msn.com",
        "outlook.com",
        "outlook.fr",
        "pm.me",
        "proton.me",
        "protonmail.com",
    )
)

_ASCII_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LAST_LABEL = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")


class AddressError(ValueError):
    """A text that is not a valid address. The message is the reason alone, never the text."""

    def __init__(self, reason: SyntaxReason) -> None:
        super().__init__(reason)
        self.reason: SyntaxReason = reason


# --- one address, its syntax and its forms ------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """A valid address, created by `parse` at the edge only, so that no other code checks it again.

    `typed` is the text as typed, trimmed; `local` and `domain` are in the form that is
    digested: NFC, lower case, the domain in IDNA (UTS 46) ASCII without its trailing dot.
    """

    typed: str
    local: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises AddressError."""
        local, typed_domain = _split(_folded(text))
        if len(local.encode()) > MAX_LOCAL_PART:
            raise AddressError("local_part_too_long")
        if not all(map(_is_atom, local.split("."))):
            raise AddressError("bad_local_part")
        domain = _ascii_domain(typed_domain)
        if not _is_domain(domain):
            raise AddressError("bad_domain")
        if len(f"{local}@{domain}".encode()) > MAX_ADDRESS:
            raise AddressError("too_long")
        return cls(text.strip(), local, domain)

    @classmethod
    def stored(cls, text: str) -> Address:
        """An address accepted earlier: still readable, even if a newer rule would refuse it."""
        try:
            return cls.parse(text)
        except AddressError:
            local, _, domain = text.strip().lower().rpartition("@")
            return cls(text.strip(), local, domain)

    @property
    def normalised(self) -> str:
        """The form that is digested. Parsing it again changes nothing."""
        return f"{self.local}@{self.domain}"

    @property
    def canonical(self) -> str:
        """The alias form: equal for addresses known to reach one mailbox."""
        domain = "gmail.com" if self.domain == "googlemail.com" else self.domain
        bare = self.local.partition("+")[0] if domain in PLUS_TAG_DOMAINS else self.local
        if domain == "gmail.com":
            bare = bare.replace(".", "")
        return f"{bare or self.local}@{domain}"

    @property
    def mailbox(self) -> str:
        """The one form of all addresses that reach this mailbox, as far as is known."""
        return mailbox(self.local, self.domain)

    @property
    def sendable(self) -> str:
        """As typed, with the domain in ASCII: the only form SES accepts in an envelope.

        In NFC: a Kelvin sign is typed by somebody whose address has a K, and is claimed as theirs.
        """
        local = unicodedata.normalize("NFC", self.typed).rpartition("@")[0]
        return f"{local}@{self.domain}"

    @property
    def masked(self) -> str:
        """`jeanne@example.fr` → `j•••@e•••.fr`: enough for the sponsor to recognise it.

        Always three dots, because the length would reveal something too. Of the domain that is
        digested, because only there every dot is a full stop.
        """
        domain = _shown_domain(self.domain)
        return f"{self.local[:1]}•••@{domain[:1]}•••.{domain.rpartition('.')[2]}"

    @property
    def quality_problem(self) -> QualityReason | None:
        """Why this is not a person's own mailbox, or not one we can send to.

        A local part outside ASCII is valid syntax, but SES does not send to it.
        """
        if is_role(self.local):
            return "role_address"
        if is_disposable(self.domain):
            return "disposable_address"
        return None if self.local.isascii() else "undeliverable_address"

    def __repr__(self) -> str:
        return f"Address({self.masked})"  # anything printed may end up in a log (law 9)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> CoreSchema:
        """Stored as typed, in one string."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.stored(value),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda address: address.typed
            ),
        )


def _folded(address: str) -> str:
    """Trimmed, NFC, lower-case, printable characters only. Raises AddressError."""
    trimmed = address.strip()
    if not trimmed:
        raise AddressError("empty")
    # Checked before any work that grows with the length: this is public input.
    if len(trimmed) > MAX_ADDRESS:
        raise AddressError("too_long")
    if any(map(str.isspace, trimmed)):
        raise AddressError("white_space")
    if not trimmed.isprintable():  # lone surrogates and direction marks too, not only C0 and C1
        raise AddressError("control_character")
    return unicodedata.normalize("NFC", trimmed).lower()


def _split(folded: str) -> tuple[str, str]:
    local, at, domain = folded.partition("@")
    if not at:
        raise AddressError("no_at_sign")
    if "@" in domain:
        raise AddressError("several_at_signs")
    return local, domain


def _is_atom(text: str) -> bool:
    """Whether `text` may be between the dots of a local part: RFC 5322, and letters of RFC 6531."""
    ascii_only = "".join(c if c.isascii() else "a" for c in text)
    others = (c for c in text if not c.isascii())
    return bool(_ASCII_ATOM.fullmatch(ascii_only)) and all(
        unicodedata.category(c)[0] in "LMN" and c not in INVISIBLE for c in others
    )


def _ascii_domain(domain: str) -> str:
    """The domain in IDNA ASCII without its trailing dot. Raises AddressError."""
    if not domain.isascii():
        import idna  # only when needed: its tables cost more than the rest of the domain

        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise AddressError("bad_domain") from error
    return domain.removesuffix(".")


def _shown_domain(domain: str) -> str:
    """A domain in IDNA ASCII as its readers know it."""
    if "xn--" not in domain:
        return domain
    import idna

    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain  # stored by a version that took what this one would refuse


def _is_domain(domain: str) -> bool:
    *labels, last = domain.split(".")
    return (
        bool(labels)
        and all(map(_LABEL.fullmatch, labels))
        and _LAST_LABEL.fullmatch(last) is not None
    )


# --- digests ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DigestKey:
    """A key shared with a client. `secret` is raw bytes, empty where the algorithm is sha256."""

    key_id: str
    algorithm: Algorithm = "hmac_sha256"
    secret: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        # An HMAC under an empty key looks valid and matches nobody: everyone would be a newcomer.
        if (self.algorithm == "hmac_sha256") != bool(self.secret):
            raise ValueError(f"key {self.key_id}: hmac_sha256 needs a secret, sha256 has none")


@dataclass(frozen=True, slots=True)
class DigestPair:
    """The two digests of one address under one key: lower-case hex, 64 characters each.

    `algorithm` is None in items of 0.1.0, which did not store it.
    """

    key_id: str
    exact: str
    canonical: str
    algorithm: Algorithm | None = None


@dataclass(frozen=True, slots=True)
class AddressDigests:
    """One address under the client's current keys (two during a rotation), in their order, under
    our own key, and under earlier keys that are still known.
    """

    pairs: tuple[DigestPair, ...]

    @classmethod
    def of(cls, address: Address, keys: Iterable[DigestKey]) -> AddressDigests:
        """The pairs of `address` under each of `keys`."""
        return cls(tuple(pair for key in keys for pair in _pairs_of(address, key)))

    @classmethod
    def erased(cls, random_id: str) -> AddressDigests:
        """What is left of the digests of somebody who was erased: an id that says nothing."""
        return cls((DigestPair(ERASED_KEY_ID, random_id, random_id),))

    @property
    def is_erased(self) -> bool:
        """Whether the person was erased: nobody is found by these."""
        return self.key_ids == (ERASED_KEY_ID,)

    def under(self, key_id: str) -> DigestPair:
        """The pair made with that key. Raises KeyError: a missing key is never "not on a list"."""
        for pair in self.pairs:
            if pair.key_id == key_id:
                return pair
        raise KeyError(key_id)

    @property
    def for_client(self) -> str:
        """The digest the client knows the address by: exact, under the first of its own keys.

        Raises ValueError when there is none. Digests under our own key never leave the stack.
        """
        for pair in self.pairs:
            if pair.key_id not in OWN_KEY_IDS:
                return pair.exact
        raise ValueError("no digest under a key of the client's")

    def key_of(self, exact: str) -> str | None:
        """The id of the client's key that an exact digest was made with; None if it is none of
        these.
        """
        pairs = (pair for pair in self.pairs if pair.key_id not in OWN_KEY_IDS)
        return next((pair.key_id for pair in pairs if pair.exact == exact), None)

    @property
    def known_to_client(self) -> tuple[str, ...]:
        """Every digest the client may know the address by: under its own keys, exact and
        canonical, each once.
        """
        pairs = tuple(pair for pair in self.pairs if pair.key_id not in OWN_KEY_IDS)
        return AddressDigests(pairs).values

    @property
    def under_own_key(self) -> tuple[str, ...]:
        """Every digest of the address under our own key, exact and canonical, each once."""
        pairs = tuple(pair for pair in self.pairs if pair.key_id in OWN_KEY_IDS)
        return AddressDigests(pairs).values

    @property
    def permanent(self) -> tuple[str, ...]:
        """Those under our own key; all of them where none is, as items of 0.1.0 have them."""
        return self.under_own_key or self.values

    @property
    def values(self) -> tuple[str, ...]:
        """Every digest of the address, under every key, exact and canonical, each once."""
        digests = (digest for pair in self.pairs for digest in (pair.exact, pair.canonical))
        return tuple(dict.fromkeys(digests))

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys these were made with, in their order."""
        return tuple(pair.key_id for pair in self.pairs)

    def with_algorithm(self, algorithm: Algorithm) -> AddressDigests:
        """The same digests, with `algorithm` filled in where it was not stored."""
        return AddressDigests(
            tuple(replace(pair, algorithm=pair.algorithm or algorithm) for pair in self.pairs)
        )

    def with_earlier(self, earlier: AddressDigests) -> AddressDigests:
        """These digests, followed by those of `earlier` under other keys."""
        kept = (pair for pair in earlier.pairs if pair.key_id not in self.key_ids)
        return AddressDigests((*self.pairs, *kept))


def _pairs_of(address: Address, key: DigestKey) -> Iterator[DigestPair]:
    forms = {key.key_id: address.canonical}
    if key.key_id == OWN_KEY_ID:
        forms = {OWN_KEY_ID: address.mailbox}
        if address.canonical not in (address.normalised, address.mailbox):
            forms[OWN_KEY] = address.canonical  # what earlier versions may have stored
    for key_id, alias in forms.items():
        pair = digest(address.normalised, key), digest(alias, key)
        yield DigestPair(key_id, *pair, key.algorithm)


def digest(form: str, key: DigestKey) -> str:
    """Lower-case hex digest of a normalised or canonical form."""
    if key.algorithm == "sha256":
        return hashlib.sha256(form.encode()).hexdigest()
    return hmac.digest(key.secret, form.encode(), "sha256").hex()


# --- suggestions ---------------------------------------------------------------------------------


def suggestion(text: str) -> str | None:
    """The address probably meant (`jeanne@gmial.com` → `jeanne@gmail.com`), or None.

    Works on bad syntax too (`jeanne@gmail`, `jeanne@orange.f`), as long as there is one @.
    Only a suggestion: a rare domain may be right.
    """
    try:
        local, domain = _split(_folded(text))
        meant = domain_meant(domain.removesuffix("."))
        if meant is None:
            return None
        Address.parse(f"{local}@{meant}")
    except AddressError:
        return None
    return f"{text.strip().partition('@')[0]}@{meant}"
