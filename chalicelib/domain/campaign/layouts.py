"""How the client's files are laid out, as the campaign file says it.

Without a word, files are as the client guide has them. Columns are named by what stands in the
file's header: on the left the client's name, on the right ours. Not here: lists, own codes and
acknowledgements, which are a column or two of codes or digests (decision 69).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from chalicelib.domain.campaign.fields import FileModel
from chalicelib.domain.files.armour import LONGEST_KEY, fingerprint_of
from chalicelib.domain.files.layouts import DELIMITERS, Encoding, Layout

OrderColumn = Literal[
    "order_id", "ordered_at", "email_digest", "voucher_code", "amount", "currency", "status"
]
ConsentColumn = Literal["email_digest", "state", "at"]
CohortColumn = Literal["source", "joined_on", "last_order_on", "active"]
ExportColumn = Literal[
    "code", "template", "holder", "holder_digest", "value", "currency", "minimum_basket",
    "valid_from", "valid_until", "issued_at", "referral", "voucher", "kind", "value_percent",
    "key_id",
]  # fmt: skip

ColumnName = Annotated[
    str,
    Field(
        max_length=60,
        pattern=r'^[^\s"@=+\x00-\x1f-]([^"@\x00-\x1f]*[^\s"@\x00-\x1f])?$',
        description="the name of a column, on one line, without quotes and @, not like a formula",
    ),
]
# A text that begins with = + - or @ would be a formula in a spreadsheet.
_COLUMNS = "|".join(get_args(ExportColumn))
Cell = Annotated[
    str,
    Field(
        pattern=rf'^(({_COLUMNS})|=[^\s"=+@-][^\r\n\t"]{{0,59}})$',
        description="a column of an export, or = and a text that all rows have",
    ),
]
Delimiter = Literal[",", ";", "|", "tab"]


class TableLayout(FileModel):
    """How a table of the client's is laid out."""

    delimiter: Delimiter = ","
    encoding: Encoding = "utf-8"


class OrdersLayout(TableLayout):
    """How the files of orders are laid out; `decimal` is the sign before the cents."""

    decimal: Literal[".", ","] = "."
    columns: dict[ColumnName, OrderColumn] = Field(default_factory=dict)


class ConsentsLayout(TableLayout):
    """How the files of consents are laid out."""

    columns: dict[ColumnName, ConsentColumn] = Field(default_factory=dict)


class CohortsLayout(TableLayout):
    """How the files of newcomers of other sources are laid out."""

    columns: dict[ColumnName, CohortColumn] = Field(default_factory=dict)


Columns = Annotated[dict[ColumnName, Cell], Field(min_length=1, max_length=60)]


def _as_columns(given: object) -> object:
    return dict(given) if isinstance(given, list | tuple) else given


class ExportsLayout(FileModel):
    """The columns of the file beside each export that is made for import elsewhere, in the order in
    which they are declared. They are stored as pairs: the members of a stored map have no order.
    """

    columns: Annotated[
        Columns,
        BeforeValidator(_as_columns, json_schema_input_type=Columns),
        PlainSerializer(lambda columns: [list(pair) for pair in columns.items()]),
    ]

    def __eq__(self, other: object) -> bool:
        """Another order is another layout."""
        if not isinstance(other, ExportsLayout):
            return NotImplemented
        return [*self.columns.items()] == [*other.columns.items()]

    def __hash__(self) -> int:
        return hash(tuple(self.columns.items()))


def _is_key(text: str) -> str:
    fingerprint_of(text)
    return text


PublicKey = Annotated[
    str,
    Field(
        max_length=LONGEST_KEY,
        description="an armoured PGP public key: gpg --armor --export ADDRESS",
    ),
    AfterValidator(_is_key),
]


class FileLayouts(FileModel):
    """How the client's files are laid out, where they are not as the client guide has them, and the
    key that exports, changes and statements are encrypted to.
    """

    orders: OrdersLayout | None = None
    consents: ConsentsLayout | None = None
    cohorts: CohortsLayout | None = None
    exports: ExportsLayout | None = None
    encrypt_to: PublicKey | None = None


Dropped = Literal["orders", "consents", "cohorts"]
DROPPED: Mapping[Dropped, tuple[str, ...]] = {
    "orders": get_args(OrderColumn),
    "consents": get_args(ConsentColumn),
    "cohorts": get_args(CohortColumn),
}


def layout_of(files: FileLayouts | None, kind: Dropped) -> Layout:
    """How the files of a kind that are dropped are laid out."""
    declared = getattr(files, kind) if files else None
    if declared is None:
        return Layout(f"files.{kind}")
    return Layout(
        f"files.{kind}",
        declared.encoding,
        DELIMITERS[declared.delimiter],
        declared.decimal if isinstance(declared, OrdersLayout) else ".",
        declared.columns,
    )


def layout_problems(files: FileLayouts | None) -> Iterator[str]:
    """What does not fit together, as `field: what is wrong`."""
    for kind, ours in DROPPED.items():
        declared = getattr(files, kind) if files else None
        if declared is None:
            continue
        given = [*declared.columns.values()]
        for name in dict.fromkeys(given):
            if given.count(name) > 1:
                yield f"files.{kind}.columns: {name} has two columns"
        for name in declared.columns:
            if name in ours and name not in given:
                yield f"files.{kind}.columns: no column is left for {name}"
    if files and files.exports and "code" not in files.exports.columns.values():
        yield "files.exports.columns: none of them has the code"
