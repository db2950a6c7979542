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
_LETTERS = ALPHABET.encode()
# What a letter adds to the sum at each position, as tables for `bytes.translate`.
_WEIGHED = [
    bytes.maketrans(_LETTERS, bytes(position * value % _MODULUS for value in range(_MODULUS)))
    for position in range(1, RANDOM_LENGTH + 1)
]
_REDUCED = bytes(total % _MODULUS for total in range(256))
_CHECK = bytes(_LETTERS[-total * pow(CODE_LENGTH, -1, _MODULUS) % _MODULUS] for total in range(256))
_COLUMNS_IN_A_BYTE = 255 // (_MODULUS - 1)  # weighed letters whose sum fits in one


class CodeError(ValueError):
    """An invalid random part. The message never contains the text itself."""


def complete(random_part: str) -> str:
    """The code of a random part: its 13 characters and the check character. Raises CodeError."""
    if len(random_part) != RANDOM_LENGTH:
        raise CodeError(f"a random part is {RANDOM_LENGTH} characters of the alphabet")
    return complete_all(random_part)[0]


def complete_all(random_parts: str) -> list[str]:
    """The codes of random parts that are written one after the other. Raises CodeError.

    Works on columns: the first characters of all parts, then the second ones. Tables and whole
    numbers as long as a column do for all parts at once what a loop would do for each.
    """
    letters = random_parts.encode("ascii", "replace")  # a question mark is not in the alphabet
    if len(letters) % RANDOM_LENGTH or letters.translate(None, _LETTERS):
        raise CodeError(f"a random part is {RANDOM_LENGTH} characters of the alphabet")
    columns = [letters[at::RANDOM_LENGTH] for at in range(RANDOM_LENGTH)]
    codes = bytearray(len(columns[0]) * CODE_LENGTH)
    for at, column in enumerate([*columns, _check_characters(columns)]):
        codes[at::CODE_LENGTH] = column
    text = codes.decode()
    return [text[at : at + CODE_LENGTH] for at in range(0, len(text), CODE_LENGTH)]


def _check_characters(columns: list[bytes]) -> bytes:
    total = bytes(len(columns[0]))
    step = _COLUMNS_IN_A_BYTE - 1  # beside what is added up so far
    for start in range(0, RANDOM_LENGTH, step):
        weighed = zip(columns[start : start + step], _WEIGHED[start : start + step], strict=True)
        total = _sums([total, *(column.translate(table) for column, table in weighed)])
    return total.translate(_CHECK)


def _sums(columns: list[bytes]) -> bytes:
    """The columns added up, byte by byte, modulo 31; no sum may exceed a byte."""
    total = sum(int.from_bytes(column, "little") for column in columns)
    return total.to_bytes(len(columns[0]), "little").translate(_REDUCED)


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
