"""A client's own voucher codes, used instead of minted ones: one column, `code`.

Refuses lines, not files: a code that cannot be typed, or that equals an earlier one except for case
and hyphens, because a till could not distinguish the two.
"""

import re
from collections.abc import Iterable, Iterator

from chalicelib.domain.codes import canonical
from chalicelib.domain.files.reading import Tally, column, lines

# Begins with a letter or digit: a leading hyphen would make it a formula in a spreadsheet.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")


def own_codes(chunks: Iterable[bytes], tally: Tally) -> Iterator[tuple[int, str]]:
    """Numbered codes as the client writes them.

    Raises FileRefusedError: `empty_file` and those of `reading.lines`.
    """
    seen: set[str] = set()
    for number, code in column(lines(chunks), "code", tally):
        if not is_code(code):
            tally.reject(number, "code_invalid")
        elif canonical(code) in seen:
            tally.reject(number, "code_duplicate")
        else:
            seen.add(canonical(code))
            yield number, code


def is_code(text: str) -> bool:
    """Whether `text` is 1 to 40 letters, digits and hyphens, not a hyphen first."""
    return _CODE.fullmatch(text) is not None
