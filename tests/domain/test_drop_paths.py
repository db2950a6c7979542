"""What a file under `in/{campaign}/` is, by its path alone."""

from __future__ import annotations

import pytest

from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.files.paths import (
    AckDrop,
    CodesDrop,
    DroppedFile,
    ListDrop,
    ManifestDrop,
    OrdersDrop,
    parse_drop_path,
)

CUSTOMERS, VIPS = ListName.CUSTOMERS, ListName.VIPS


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("customers/full/list.csv", ListDrop(CUSTOMERS, "full")),
        ("customers/add/list.csv.gz", ListDrop(CUSTOMERS, "add")),
        ("customers/remove/a.b.csv", ListDrop(CUSTOMERS, "remove")),
        ("vips/full/list.csv", ListDrop(VIPS, "full")),
        ("customers/full/list.manifest.json", ManifestDrop(CUSTOMERS, "full")),
        ("customers/full/list.csv.manifest.json", ManifestDrop(CUSTOMERS, "full")),
        ("vips/add/x.manifest.json", ManifestDrop(VIPS, "add")),
        ("orders/today.csv", OrdersDrop()),
        ("orders/today.csv.gz", OrdersDrop()),
        ("codes/welcome/own.csv", CodesDrop("welcome")),
        ("acks/00000012.ack", AckDrop(12)),
        ("acks/12.ack", AckDrop(None)),
        ("acks/welcome.ack", AckDrop(None)),
    ],
)
def test_a_path_gives_the_kind_of_file(path: str, file: DroppedFile) -> None:
    assert parse_drop_path(path) == file


@pytest.mark.parametrize(
    "path",
    [
        "",
        "readme.txt",
        "customers/list.csv",
        "customers/full/list.txt",
        "customers/full/list.zip",
        "customers/full/a/b.csv",
        "customers/full/.csv/",
        "customers/replace/list.csv",
        "Customers/full/list.csv",
        "members/full/list.csv",
        "orders/x.json",
        "orders/2026/x.csv",
        "orders/x.manifest.json",
        "codes/own.csv",
        "codes/welcome/more/own.csv",
        "acks/00000012.csv",
        "acks/more/00000012.ack",
        "x/customers/full/list.csv",
    ],
)
def test_any_other_path_has_no_meaning(path: str) -> None:
    assert parse_drop_path(path) is None
