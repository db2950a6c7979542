"""Acknowledgements: the client has loaded an export, except for the codes it lists.

An empty file refuses no code. The parser refuses a whole file only for unreadable bytes; what a bad
line means for the export is decided in services.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chalicelib.domain.files.lines import lines
from chalicelib.domain.files.own_codes import is_code
from chalicelib.domain.files.reading import Tally, is_header, records

_HEADERS = (("code", "reason"), ("code",))
MAX_REASON = 200  # characters, the client's own words


@dataclass(frozen=True, slots=True)
class RefusedCode:
    """A code the client could not load, as the client wrote it (see codes.candidates), and why."""

    code: str
    reason: str  # may be empty


def refused_codes(chunks: Iterable[bytes], tally: Tally) -> Iterator[tuple[int, RefusedCode]]:
    """Numbered refusals of an `.ack` file; its header may be left out.

    Raises FileRefusedError as `lines` does.
    """
    for number, values in records(lines(chunks), 1):
        if not tally.rows and any(is_header(values, names) for names in _HEADERS):
            continue
        tally.rows += 1
        if values is None:
            tally.reject(number, "bad_quotes")
        elif problem := _problem(values):
            tally.reject(number, problem)
        else:
            yield number, RefusedCode(values[0], "".join(values[1:]))


def _problem(values: list[str]) -> str | None:
    code, *reason = values
    if len(reason) > 1:
        return "wrong_number_of_fields"
    if not is_code(code):
        return "code_invalid"
    return None if _is_reason("".join(reason)) else "reason_invalid"


def _is_reason(text: str) -> bool:
    # It is stored with the voucher, which must not contain an address (law 9).
    return len(text) <= MAX_REASON and text.isprintable() and "@" not in text
