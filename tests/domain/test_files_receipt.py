import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chalicelib.domain.files.manifest import Manifest, parse_manifest
from chalicelib.domain.files.reading import FileRefusedError, LineError, Tally
from chalicelib.domain.files.receipt import (
    Receipt,
    is_final,
    own_path,
    processed_receipt,
    receipt_json,
    refused_receipt,
)

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
SHA = "ab" * 32
GOOD = {"rows": 3, "sha256": SHA, "key_id": "k1", "generated_at": "2024-05-01T12:00:00+00:00"}


def written(receipt: Receipt) -> dict[str, object]:
    members = json.loads(receipt_json(receipt))
    assert isinstance(members, dict)
    return members


# --- receipts ---


def test_a_receipt_has_the_promised_members() -> None:
    receipt = Receipt("accepted", "orders/a.csv", NOON, NOON, SHA, rows=3, accepted=3, version="7")
    assert written(receipt) == {
        "status": "accepted",
        "file": "orders/a.csv",
        "dropped_at": "2024-05-01T12:00:00+00:00",
        "received_at": "2024-05-01T12:00:00+00:00",
        "rows": 3,
        "accepted": 3,
        "rejected": 0,
        "errors": [],
        "effects": {},
        "sha256": SHA,
        "version": "7",
    }


def test_a_receipt_says_what_became_of_rows() -> None:
    tally = Tally(rows=3)
    for effect in ("recorded", "known_already", "recorded"):
        tally.note(effect)
    tally.note_voucher(4, "unknown")
    members = written(
        processed_receipt(tally, file="f", dropped_at=NOON, received_at=NOON, sha256=SHA)
    )
    assert members["effects"] == {"recorded": 2, "known_already": 1}
    assert members["vouchers"] == [{"line": 4, "voucher": "unknown"}]


def test_a_file_refused_whole_has_no_effect() -> None:
    tally = Tally(rows=1)
    tally.note("recorded")
    tally.note_voucher(2, "unknown")
    error = FileRefusedError("not_utf8", 3)
    members = written(
        refused_receipt(error, tally, file="f", dropped_at=NOON, received_at=NOON, sha256=SHA)
    )
    assert members["effects"] == {}
    assert "vouchers" not in members


@pytest.mark.parametrize(
    ("dropped_at", "time"),
    [
        (NOON, "20240501T120000Z"),
        (NOON.replace(microsecond=123000), "20240501T120000.123Z"),
        (NOON.replace(microsecond=7), "20240501T120000.000007Z"),
        (datetime(2024, 5, 1, 14, tzinfo=timezone(timedelta(hours=2))), "20240501T120000Z"),
    ],
)
def test_a_drops_own_receipt_is_named_by_its_time_and_content(
    dropped_at: datetime, time: str
) -> None:
    assert own_path("orders/a.csv", dropped_at, SHA) == f"orders/a.csv@{time}-abababab.json"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"no JSON", b'{"status": "refused"}'])
def test_only_a_receipt_of_a_file_that_took_effect_is_final(content: bytes) -> None:
    assert not is_final(content)
    assert is_final(b'{"status": "partial"}')
    assert is_final(b'{"status": "accepted"}')


@pytest.mark.parametrize(
    ("rows", "bad", "status", "reason"),
    [
        (3, 0, "accepted", None),
        (0, 0, "accepted", None),
        (3, 1, "partial", None),
        (3, 3, "refused", "no_row_accepted"),
    ],
)
def test_the_status_follows_the_counts(
    rows: int, bad: int, status: str, reason: str | None
) -> None:
    tally = Tally(rows)
    for line in range(bad):
        tally.reject(line + 2, "amount_invalid")
    members = written(
        processed_receipt(tally, file="f", dropped_at=NOON, received_at=NOON, sha256=SHA)
    )
    assert (members["status"], members.get("reason")) == (status, reason)
    assert (members["accepted"], members["rejected"]) == (rows - bad, bad)
    assert members["errors"] == [
        {"line": line + 2, "reason": "amount_invalid"} for line in range(bad)
    ]


def test_a_file_refused_whole_has_no_accepted_row_and_says_why_first() -> None:
    tally = Tally(rows=9)
    tally.reject(4, "not_hex")
    error = FileRefusedError("unknown_column", 1, "remarks")
    assert written(
        refused_receipt(error, tally, file="f", dropped_at=NOON, received_at=NOON, sha256=SHA)
    ) == {
        "status": "refused",
        "file": "f",
        "dropped_at": "2024-05-01T12:00:00+00:00",
        "received_at": "2024-05-01T12:00:00+00:00",
        "rows": 9,
        "accepted": 0,
        "rejected": 9,
        "errors": [
            {"line": 1, "reason": "unknown_column", "detail": "remarks"},
            {"line": 4, "reason": "not_hex"},
        ],
        "effects": {},
        "sha256": SHA,
        "version": None,
        "reason": "unknown_column",
    }


def test_the_cause_of_a_refusal_is_reported_once() -> None:
    tally = Tally(rows=2)
    tally.reject(2, "not_hex")
    error = FileRefusedError("not_hex", 2)
    receipt = refused_receipt(error, tally, file="f", dropped_at=NOON, received_at=NOON, sha256=SHA)
    assert list(receipt.errors) == [LineError(2, "not_hex")]


def test_a_receipt_keeps_the_first_thousand_errors() -> None:
    tally = Tally(rows=2000)
    for line in range(1200):
        tally.reject(line, "not_hex")
    error = FileRefusedError("mixed_lengths", 1200)
    assert (
        len(
            refused_receipt(
                error, tally, file="f", dropped_at=NOON, received_at=NOON, sha256=SHA
            ).errors
        )
        == 1000
    )


# --- manifests ---


def test_a_manifest_is_read_and_unknown_members_are_left_alone() -> None:
    content = json.dumps(GOOD | {"sha256": SHA.upper(), "tool": "x"}).encode()
    assert parse_manifest(content) == Manifest(3, SHA, "k1", NOON)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("rows", "3"),
        ("rows", -1),
        ("rows", True),
        ("rows", 3.0),
        ("rows", None),
        ("sha256", "ab"),
        ("sha256", 3),
        ("key_id", ""),
        ("key_id", 1),
        ("key_id", "k" * 17),
        ("key_id", "é" * 9),
        ("key_id", "k\n"),
        ("generated_at", "yesterday"),
        ("generated_at", "2024-05-01T12:00:00"),
        ("generated_at", "0001-01-01T00:00:00+10:00"),
        ("generated_at", 1714564800),
    ],
)
def test_a_wrong_member_is_named(member: str, value: object) -> None:
    with pytest.raises(FileRefusedError, match=f"^manifest_{member}$"):
        parse_manifest(json.dumps(GOOD | {member: value}).encode())


@pytest.mark.parametrize("member", GOOD)
def test_a_missing_member_is_named(member: str) -> None:
    with pytest.raises(FileRefusedError, match=f"^manifest_{member}$"):
        parse_manifest(json.dumps({k: v for k, v in GOOD.items() if k != member}).encode())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "manifest_not_json"),
        (b"[]", "manifest_not_json"),
        (b"\xff\x00", "manifest_not_json"),
        (b"[" * 60_000, "manifest_not_json"),
        (b'{"rows": ' + b"9" * 5000 + b"}", "manifest_not_json"),
        (b" " * 70_000, "manifest_too_large"),
    ],
)
def test_what_is_no_manifest_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=f"^{reason}$"):
        parse_manifest(content)
