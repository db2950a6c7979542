"""First names: what may stand as one in a mail that the brand signs.

A first name may be typed by a stranger, and the mail goes to somebody else. So a name is short, has
letters of one script, is no sentence, no address, no role, and not the brand's own. The vectors are
docs/vectors/first-names.json. Stores nothing.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Literal

from chalicelib.domain.invisible import INVISIBLE
from chalicelib.domain.providers import words

NameReason = Literal[
    "empty",
    "too_long",
    "bad_character",
    "looks_like_a_link",
    "mixed_scripts",
    "too_many_words",
    "not_a_person",
]

MAX_NAME = 40  # characters
MAX_WORDS = 3
MAX_HYPHENS = 2
MAX_MARKS = 2  # in a row

_HYPHENS = "-‐"
_APOSTROPHES = "'’‘ʼʻ"
_MIDDLE_DOT = "·"  # Catalan: Marcel·lí
_NON_JOINER = "\u200c"
_BETWEEN_LETTERS = _HYPHENS + _MIDDLE_DOT + _NON_JOINER
_OTHERS = " ." + _HYPHENS + _APOSTROPHES + _MIDDLE_DOT + _NON_JOINER
# Letters of Lisu that look like a full stop, a comma, a colon.
_LIKE_DOTS = frozenset(map(chr, range(0xA4F8, 0xA4FE)))
_LINK = re.compile(r"\.\w\w|www\.", re.IGNORECASE)
# Japanese and Korean are each written in several scripts.
_WRITTEN_TOGETHER = dict.fromkeys(("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL"), "CJK")
_WITH_NON_JOINER = frozenset(
    words(
        """
        ARABIC BENGALI DEVANAGARI GUJARATI GURMUKHI KANNADA MALAYALAM ORIYA SINHALA SYRIAC TAMIL
        TELUGU
        """
    )
)
# Who signs mails and is no person, in the languages of the campaigns; folded.
_ROLES = frozenset(
    words(
        """
        account accounts admin administrator alert alerte assistance bank banque billing boutique
        client clients cliente clientes colis compte comptes conto cuenta customer customers
        delivery dienst direction email equipe equipo facturation gagnant gagnante garantie helpdesk
        hotline info infos information klant klanten klantenservice konto kunde kunden kundendienst
        kundenservice livraison mail marketing moderateur newsletter noreply notification official
        officiel officielle paiement paket payment police postmaster promo promotion rekening
        remboursement secure security securite service services sicherheit soporte support system
        systeme team verification webmaster
        """
    )
)
_COMPOUNDS = re.compile("service(?:client|s)|(?:client|kunden|klanten|customer)service|noreply")


class FirstNameError(ValueError):
    """A first name that cannot be shown in a mail. The message is the reason alone."""

    def __init__(self, reason: NameReason) -> None:
        super().__init__(reason)
        self.reason: NameReason = reason


def first_name(text: str) -> str:
    """The first name as it may be shown: trimmed, NFC, single spaces, 1 to 40 characters.

    Raises FirstNameError. Whether it is the brand's own name: `require_not_the_brand`.
    """
    trimmed = text.strip()
    if len(trimmed) > 4 * MAX_NAME:  # before the work that grows with the length
        raise FirstNameError("too_long")
    name = re.sub(" +", " ", unicodedata.normalize("NFC", trimmed))
    if not name:
        raise FirstNameError("empty")
    if len(name) > MAX_NAME:
        raise FirstNameError("too_long")
    if not all(map(_may_be_in_name, name)) or not any(map(str.isalpha, name)):
        raise FirstNameError("bad_character")
    if _has_too_many_marks(name) or not _separators_are_between_letters(name):
        raise FirstNameError("bad_character")
    if _LINK.search(name):
        raise FirstNameError("looks_like_a_link")
    if len(_scripts(name)) > 1:
        raise FirstNameError("mixed_scripts")
    if name.count(" ") >= MAX_WORDS or sum(map(name.count, _HYPHENS)) > MAX_HYPHENS:
        raise FirstNameError("too_many_words")
    parts = _parts(name)
    if not _ROLES.isdisjoint(parts) or _COMPOUNDS.search("".join(parts)):
        raise FirstNameError("not_a_person")
    return name


def require_not_the_brand(name: str, brand: str) -> None:
    """Raises FirstNameError when a name that `first_name` accepted names the brand."""
    own, parts = _parts(brand), _parts(name)
    spelled = [parts[start : start + len(own)] for start in range(len(parts))]
    if own in spelled or "".join(own) in parts:
        raise FirstNameError("not_a_person")


def _may_be_in_name(character: str) -> bool:
    if character in _OTHERS:
        return True
    # Full-width, mathematical and other letters that stand for a plain one.
    is_plain = unicodedata.normalize("NFKC", character) == character
    is_seen = character not in INVISIBLE and character not in _LIKE_DOTS
    return unicodedata.category(character)[0] in "LM" and is_plain and is_seen


def _has_too_many_marks(name: str) -> bool:
    marks = "".join("m" if unicodedata.category(each)[0] == "M" else " " for each in name)
    return marks.startswith("m") or "m" * (MAX_MARKS + 1) in marks


def _separators_are_between_letters(name: str) -> bool:
    """Whether hyphens, middle dots and non-joiners each stand between two letters (a hyphen also
    after an initial: J.-P.), and a non-joiner only in a script that is written with it.
    """
    if name[0] in _BETWEEN_LETTERS or name[-1] in _BETWEEN_LETTERS:
        return False
    for before, after in pairwise(name):
        if before in _BETWEEN_LETTERS and not _is_letter(after):
            return False
        if after in _BETWEEN_LETTERS and not (_is_letter(before) or before + after == ".-"):
            return False
        if after == _NON_JOINER and _script(before) not in _WITH_NON_JOINER:
            return False
    return True


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" and character not in _APOSTROPHES


def _scripts(name: str) -> set[str]:
    # A mark takes the script of its letter; a modifier letter such as an apostrophe has none.
    return {
        _script(each) for each in name if unicodedata.category(each) in {"Ll", "Lu", "Lt", "Lo"}
    }


def _script(letter: str) -> str:
    """The script of a letter, by the first word of its name: LATIN, CYRILLIC, CJK."""
    script = unicodedata.name(letter, "").partition(" ")[0]
    return _WRITTEN_TOGETHER.get(script, script)


def _parts(text: str) -> list[str]:
    """The words of a text without case, marks and punctuation: `Équipe-Demo` → equipe, demo."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(each for each in plain if unicodedata.category(each)[0] != "M")
    return re.findall(r"[^\W\d_]+", kept)
