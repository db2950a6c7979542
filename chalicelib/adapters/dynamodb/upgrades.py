"""What earlier versions stored in another shape, and how it is read today.

An item is upgraded whenever it is read, and stored in today's shape by whatever change comes next;
nothing is rewritten for its own sake, so a version can be deployed over any earlier one. A new
field that has a truthful default needs no line here. Each upgrade says which version stored the
shape it takes, recognises it by what is in the item, and leaves every other item alone.

Works on plain values, before they are typed; `codec` calls it. Kept items of each version are in
`tests/contract/items/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import ExportPart
from chalicelib.domain.lists.model import CurrentList, FileRecord, ListVersion

Values = dict[str, Any]


def upgraded(kind: type[Entity], values: Values) -> Values:
    """The values of an item of `kind`, whichever version stored it, as today's class takes them."""
    for upgrade in UPGRADES.get(kind, ()):
        values = upgrade(values)
    return values


def list_without_layers(values: Values) -> Values:
    """0.1.0 took full drops only: such a list is its own full list.

    It kept no CRC of the segment's directory; the segment's own header has it. Nor did it keep S3's
    sequencer, so the drop stands before any other of the same instant.
    """
    if "full" in values:
        return values
    dropped_at = values.pop("dropped_at", None) or values["accepted_at"]
    order = _drop_position(dropped_at, values["source_sha256"])
    full = {name: values[name] for name in ("key_id", "segment", "etag", "rows")}
    full |= {"order": order, "sha256": values["source_sha256"]}
    return values | {"mode": "full", "last_order": order, "full": full}


def file_record_without_order(values: Values) -> Values:
    """0.1.0 kept when a file was taken in, not when it was dropped or what day it spoke of: neither
    can have been later.
    """
    if "order" in values:
        return values
    taken_at = values["taken_at"]
    return values | {"order": _drop_position(taken_at, values["sha256"]), "as_of": taken_at}


# What 0.1.0 and 0.2.0 printed of a voucher, in this order.
_COLUMNS_0_2 = (
    "code", "template", "holder", "holder_digest", "value", "currency", "minimum_basket",
    "valid_from", "valid_until", "issued_at", "referral",
)  # fmt: skip


def export_rows_as_fields(values: Values) -> Values:
    """0.1.0 and 0.2.0 kept the fields of each row; now a row is the cells that it prints."""
    if "columns" in values:
        return values
    rows = [_cells_0_2(row) for row in values["rows"]]
    return values | {"columns": list(_COLUMNS_0_2), "rows": rows}


def _cells_0_2(row: Mapping[str, Any]) -> list[str]:
    printed = dict(row)
    for name in ("value", "minimum_basket"):
        minor = row[f"{name}_minor"]
        printed[name] = f"{minor // 100}.{minor % 100:02d}"
    for name in ("valid_from", "valid_until", "issued_at"):
        printed[name] = datetime.fromisoformat(row[name]).isoformat()
    return [printed[name] for name in _COLUMNS_0_2]


def _drop_position(dropped_at: str, sha256: str) -> str:
    from chalicelib.domain.lists.drops import drop_position  # only items of 0.1.0 need it

    return drop_position(datetime.fromisoformat(dropped_at), "", sha256)


Upgrade = Callable[[Values], Values]
UPGRADES: Mapping[type[Entity], tuple[Upgrade, ...]] = {
    ListVersion: (list_without_layers,),
    CurrentList: (list_without_layers,),
    FileRecord: (file_record_without_order,),
    ExportPart: (export_rows_as_fields,),
}
