"""Recognising ids and codes that a spreadsheet has damaged.

A back office that opens its export in a spreadsheet and saves it again sends these instead of what
was there. Different ids become the same text, so nothing can be recovered: the line is refused.

    4.68769E+11, 4,68769E+11, 468.769E+09   spreadsheets, with the decimal sign of a country
    1E+05                                   the same, where no decimals are left
    1.2E-04                                 the same, of an id like 12E-5
    4.68769e+11, 1e+05, 4.68769E11          programs that read the column as numbers
    #NAME? #NOM? #VALUE! #DIV/0! #¡VALOR! #N/A #NV Err:502    a formula that failed, of =A-17
    #####                                   a column too narrow for its number

`1E5`, `12E-05`, `5E-01`, `#1001` and `A1.2E+3` are ids like any other: no spreadsheet writes them.
"""

import re

_NUMBER = re.compile(
    # With decimals the exponent needs no sign; without decimals it always has one, and is positive:
    # an id is a whole number.
    r"[+-]?[0-9]{1,3}[.,][0-9]+E[+-]?[0-9]{1,3}|[1-9]E\+[0-9]{2,3}",
    re.IGNORECASE | re.ASCII,
)
_ERROR = re.compile(r"#[¡¿]?[^\W\d_]+(?:/0)?[!?]|#N/[ABD]|#NV|Err:[0-9]{3}|#{3,}")


def is_damaged(text: str) -> bool:
    """Whether `text` is what a spreadsheet has made of a number or a formula."""
    return bool(_NUMBER.fullmatch(text) or _ERROR.fullmatch(text))
