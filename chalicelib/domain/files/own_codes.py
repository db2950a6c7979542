"""A client's own voucher codes, used instead of minted ones: one column, `code`.

Refuses lines, not files: a code that could not be typed back, or that another line already has
once case and hyphens are set aside, for a till could not tell the two apart.
"""

import re
from collections.abc import Iterable, Iterator

from chalicelib.domain.codes import canonical
from chalicelib.domain.files.reading import Tally, column, lines

# Begins with a letter or figure: a leading hyphen would be a formula to a spreadsheet.
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
    """Letters, figures and hyphens, up to 40."""
    return _CODE.fullmatch(text) is not None
