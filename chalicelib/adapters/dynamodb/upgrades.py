"""Upgrades of items that earlier versions stored in another shape.

An item is upgraded whenever it is read, and stored in the current shape with its next change; there
is no migration, so a version can be deployed over any earlier one. A new field with a truthful
default needs no upgrade. Each upgrade names the version that stored the shape, recognises it by the
fields of the item, and leaves every other item unchanged.

Works on plain values, before they are typed; called by `codec`. Stored items of each version are in
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
    """The values of an item of `kind`, stored by any version, in the current shape."""
    for upgrade in UPGRADES.get(kind, ()):
        values = upgrade(values)
    return values


def list_without_layers(values: Values) -> Values:
    """0.1.0 had full drops only: such a list is its own full list.

    It stored neither the CRC of the segment's directory, which the segment's header has, nor S3's
    sequencer, so the drop is placed before any other of the same instant.
    """
    if "full" in values:
        return values
    dropped_at = values.pop("dropped_at", None) or values["accepted_at"]
    order = _drop_position(dropped_at, values["source_sha256"])
    full = {name: values[name] for name in ("key_id", "segment", "etag", "rows")}
    full |= {"order": order, "sha256": values["source_sha256"]}
    return values | {"mode": "full", "last_order": order, "full": full}


def file_record_without_order(values: Values) -> Values:
    """0.1.0 stored when a file was processed, not when it was dropped or which instant it
    described: neither can have been later.
    """
    if "order" in values:
        return values
    taken_at = values["taken_at"]
    return values | {"order": _drop_position(taken_at, values["sha256"]), "as_of": taken_at}


# The columns of a voucher file in 0.1.0 and 0.2.0, in this order.
_COLUMNS_0_2 = (
    "code", "template", "holder", "holder_digest", "value", "currency", "minimum_basket",
    "valid_from", "valid_until", "issued_at", "referral",
)  # fmt: skip


def export_rows_as_fields(values: Values) -> Values:
    """0.1.0 and 0.2.0 stored the fields of each row; now a row is its printed cells."""
    if "columns" in values:
        return values
    rows = [_cells_0_2(row) for row in values["rows"]]
    return values | {"columns": list(_COLUMNS_0_2), "rows": rows}


def _cells_0_2(row: Mapping[str, Any]) -> list[str]:
    cells = dict(row)
    for name in ("value", "minimum_basket"):
        minor = row[f"{name}_minor"]
        cells[name] = f"{minor // 100}.{minor % 100:02d}"
    for name in ("valid_from", "valid_until", "issued_at"):
        cells[name] = datetime.fromisoformat(row[name]).isoformat()
    return [cells[name] for name in _COLUMNS_0_2]


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
