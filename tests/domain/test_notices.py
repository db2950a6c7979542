"""What the client's systems are told of: files of three kinds, by their paths alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.domain.files.notices import NoticeKind, notice_of

GUIDE = (Path(__file__).parents[2] / "docs/client-guide.md").read_text(encoding="utf-8")
RECEIPT = "out/demo-vip/receipts/orders/a/b.csv@20260504T190001.25Z-1a2b3c4d.json"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("out/demo-vip/vouchers/00000001.manifest.json", NoticeKind.EXPORT_WRITTEN),
        ("out/demo-vip/changes/00000012.manifest.json", NoticeKind.CHANGES_WRITTEN),
        (RECEIPT, NoticeKind.RECEIPT_WRITTEN),
    ],
)
def test_a_file_of_the_clients_is_noticed_with_its_path(path: str, kind: NoticeKind) -> None:
    notice = notice_of(path, b"content")
    assert notice
    assert (notice.kind, notice.campaign, notice.path) == (kind, "demo-vip", path)
    members = {"id": notice.notice_id, "campaign": "demo-vip", "path": path}
    assert json.loads(notice.detail) == members
    assert f"`{kind.value}`" in GUIDE


@pytest.mark.parametrize(
    "path",
    [
        "out/demo-vip/vouchers/00000001.csv.gz",  # before its manifest it is not complete
        "out/demo-vip/vouchers/00000001.import.csv.gz",
        "out/demo-vip/changes/00000001.csv.gz",
        "out/demo-vip/consents/00000001.manifest.json",
        "out/demo-vip/statements/2026-03.manifest.json",
        "out/demo-vip/receipts/orders/a.csv.json",  # the latest of its path
        "out/demo-vip/reports/2026-03-01.json",
        "in/demo-vip/orders/a@b.json",
        "parts/demo-vip/folder/000001.json.gz",
    ],
)
def test_nobody_is_told_of_any_other_file(path: str) -> None:
    assert notice_of(path, b"") is None


def test_the_same_content_noticed_again_has_the_same_id_and_no_other() -> None:
    ids = [
        notice.notice_id
        for path, content in [
            (RECEIPT, b"a"), (RECEIPT, b"a"), (RECEIPT, b"b"),
            (RECEIPT.replace("b.csv", "c.csv"), b"a"),
        ]
        if (notice := notice_of(path, content))
    ]  # fmt: skip
    assert len(ids) == 4
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
