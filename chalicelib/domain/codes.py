"""Voucher codes: the alphabet, the check character, and reading what somebody typed.

Owns the code format published with docs/vectors/voucher-codes.json. Generates nothing: the
random part comes from the cryptographic source behind services.ports.Codes. Does not validate a
client's own codes, which have no check character: `candidates` only says what to look up.
"""

import unicodedata

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no 0 O 1 I L; 31 characters, and 31 is prime
RANDOM_LENGTH = 13  # 64 bits: log2(31 ** 13) = 64.4
CODE_LENGTH = RANDOM_LENGTH + 1
LONGEST = 64  # characters, of any code with its prefix

_MODULUS = len(ALPHABET)
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_GROUP = 5


class CodeError(ValueError):
    """An invalid random part. The message never contains the text itself."""


def complete(random_part: str) -> str:
    """The code of a random part: its 13 characters and the check character. Raises CodeError."""
    if len(random_part) != RANDOM_LENGTH or not _is_in_alphabet(random_part):
        raise CodeError(f"a random part is {RANDOM_LENGTH} characters of the alphabet")
    missing = -_weighted_sum(random_part) * pow(CODE_LENGTH, -1, _MODULUS)
    return random_part + ALPHABET[missing % _MODULUS]


def is_valid(code: str) -> bool:
    """Whether a code, without its prefix and in its canonical form, checks out.

    Position p weighs p, so a wrong character changes the sum by p × (difference) and a swap of
    neighbours by their difference: neither is 0 modulo the prime 31 while p stays below it.
    """
    return len(code) == CODE_LENGTH and _is_in_alphabet(code) and not _weighted_sum(code) % _MODULUS


def format_code(prefix: str, code: str) -> str:
    """The code as a till or a mail shows it: `CW-22222-22222-2222`."""
    groups = [code[i : i + _GROUP] for i in range(0, len(code), _GROUP)]
    return "-".join([prefix, *groups] if prefix else groups)


def canonical(typed: str) -> str:
    """Upper-case, without white space or hyphens (nor the dashes that keyboards make of them)."""
    return "".join(c for c in typed.upper() if not _is_separator(c))


def candidates(typed: str) -> tuple[str, ...]:
    """What to look up for a typed text, best first: our code if its end is one, then the whole.

    The whole text may be one of the client's own codes, which have any form. Nothing is looked up
    for a text that can be neither: longer than any code, or with characters that nobody prints.
    """
    whole = canonical(typed)
    if len(whole) > LONGEST or not whole.isprintable():
        return ()
    ours = whole[-CODE_LENGTH:]
    return tuple(dict.fromkeys([*([ours] if is_valid(ours) else []), *([whole] if whole else [])]))


def _is_in_alphabet(text: str) -> bool:
    return all(character in _VALUES for character in text)


def _weighted_sum(text: str) -> int:
    return sum(position * _VALUES[character] for position, character in enumerate(text, 1))


def _is_separator(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Pd"
