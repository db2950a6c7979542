"""A client's own voucher codes, used instead of minted ones: one column, `code`.

Refuses lines: a code that cannot be typed, that is too short to be secret, that a spreadsheet has
damaged, or that equals an earlier one except for case and hyphens, because a till could not
distinguish the two. Refuses the file when its first line is unlike all others: a header that is not
recognised would be issued to somebody as a voucher code.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from chalicelib.domain.codes import canonical
from chalicelib.domain.files.lines import lines
from chalicelib.domain.files.reading import FileRefusedError, Tally, column
from chalicelib.domain.files.spreadsheets import is_damaged

MIN_CODE = 6  # letters and digits: fewer are guessed in a day
COLUMN = "code"

# Begins with a letter or digit: a leading hyphen would make it a formula in a spreadsheet.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")
_DIGIT = 0
_KINDS = (re.compile("[0-9]"), re.compile("[A-Z]"), re.compile("[a-z]"), re.compile("[^0-9A-Za-z]"))


def own_codes(chunks: Iterable[bytes], tally: Tally) -> Iterator[tuple[int, str]]:
    """Numbered codes as the client writes them, some of which may be duplicates.

    Raises FileRefusedError: `empty_file`, `first_line_unlike_others` and those of `lines`.
    """
    shapes = _Shapes()
    for number, code in column(lines(chunks), COLUMN, tally):
        if not tally.has_header:
            shapes.add(number, code)
        if problem := _problem(code):
            tally.reject(number, problem)
        else:
            yield number, code
    if shapes.first_is_unlike_others():
        raise FileRefusedError("first_line_unlike_others", shapes.first_line)


def duplicates(numbered: Iterable[tuple[int, str]]) -> set[int]:
    """The lines of codes that equal an earlier one except for case and hyphens."""
    seen: set[str] = set()
    lines: set[int] = set()
    for line, code in numbered:
        if canonical(code) in seen:
            lines.add(line)
        seen.add(canonical(code))
    return lines


def _problem(code: str) -> str | None:
    if "@" in code:
        return "code_plain_address"
    if is_damaged(code):
        return "code_damaged"
    if not is_code(code):
        return "code_invalid"
    if len(canonical(code)) < MIN_CODE:
        return "code_too_short"
    return None


def is_code(text: str) -> bool:
    """Whether `text` is 1 to 40 letters, digits and hyphens, not a hyphen first."""
    return _CODE.fullmatch(text) is not None


@dataclass
class _Shapes:
    """The lengths and kinds of characters of a file's lines: of the first, and of all others."""

    first_line: int = 0
    _first: str = ""
    _lengths: set[int] = field(default_factory=set)
    _kinds: set[int] = field(default_factory=set)  # that at least one of the others has
    _common: set[int] = field(default_factory=lambda: set(range(len(_KINDS))))  # that all have
    _others: int = 0

    def add(self, number: int, code: str) -> None:
        """Add the next line."""
        if not self.first_line:
            self.first_line, self._first = number, code
            return
        kinds = _kinds_of(code)
        self._others += 1
        self._lengths.add(len(code))
        self._kinds |= kinds
        self._common &= kinds

    def first_is_unlike_others(self) -> bool:
        """Whether the first line is a word without a digit where all others have one; or is of
        another length than all others, which are of one length; or of another alphabet.
        """
        if not self.first_line:
            return False
        kinds = _kinds_of(self._first)
        if _DIGIT in self._common - kinds:
            return True
        if self._others < 2:
            return False  # one other line does not show what all lines look like
        other_length = len(self._lengths) == 1 and len(self._first) not in self._lengths
        return other_length or not self._common <= kinds <= self._kinds


def _kinds_of(code: str) -> set[int]:
    return {kind for kind, pattern in enumerate(_KINDS) if pattern.search(code)}
