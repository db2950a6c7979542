"""The receipt: the answer to every dropped file, written under `out/{campaign}/receipts/`.

Owns its members and their meaning, and where it is written; contains reasons and line numbers,
never the text of a line. Every drop has a receipt of its own (`own_path`), and the latest drop at a
path has it under the path's name too (`latest_path`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Literal

from chalicelib.domain.files.reading import MAX_ERRORS, FileRefusedError, LineError, Tally

ReceiptStatus = Literal["accepted", "refused", "partial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOutcome:
    """What a drop did to a list: `effect` in one word, `version` the one it made, None for none
    yet.

    `rows` counts the digests of the list in force afterwards, `rows_before` those of the version
    before, where this drop made a new one. `later_deltas`: how many deltas that were dropped later
    are applied to it.
    """

    mode: str
    effect: str
    version: int | None
    rows: int | None
    rows_before: int | None = None
    base_version: int | None = None
    full_sha256: str | None = None
    later_deltas: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """`rows` = `accepted` + `rejected`, in rows; `sha256` of the file as dropped, lower-case hex.

    `file` is the path under `in/{campaign}/` as `paths.public_path` has it; `version` is the
    list's, None for other files; `reason` is set when the whole file is refused; `held` when ops
    may still approve it; `quarantined` when plain addresses were found in it or in its name and it
    was moved; `name_withheld` when `file` is not its name. `outcome` is a list's. `effects` says
    how many rows (of an acknowledgement: vouchers) had which effect, `vouchers` what is wrong with
    the voucher code of an accepted row, by line.
    """

    status: ReceiptStatus
    file: str
    dropped_at: datetime
    received_at: datetime
    sha256: str
    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    errors: Sequence[LineError] = ()
    effects: Mapping[str, int] = field(default_factory=dict)
    vouchers: Sequence[tuple[int, str]] = ()
    version: str | int | None = None
    reason: str | None = None
    held: bool = False
    quarantined: bool = False
    name_withheld: bool = False
    outcome: ListOutcome | None = None


def latest_path(file: str) -> str:
    """Where the receipt of the latest drop of a file is, under `out/{campaign}/receipts/`."""
    return f"{file}.json"


def own_path(file: str, dropped_at: datetime, sha256: str) -> str:
    """Where the receipt of one drop is: `orders/a.csv@20260504T190001.5Z-1a2b3c4d.json`.

    The time is UTC, with as many decimals of a second as it has.
    """
    at = dropped_at.astimezone(UTC)
    decimals = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{file}@{at:%Y%m%dT%H%M%S}{decimals}Z-{sha256[:8]}.json"


def processed_receipt(
    tally: Tally,
    *,
    file: str,
    dropped_at: datetime,
    received_at: datetime,
    sha256: str,
    outcome: ListOutcome | None = None,
    quarantined: bool = False,
    name_withheld: bool = False,
) -> Receipt:
    """The receipt of a file that was read to its end: partial when some rows were rejected."""
    status: ReceiptStatus = "accepted"
    if tally.rejected:
        status = "partial" if tally.accepted else "refused"
    return Receipt(
        status=status,
        file=file,
        dropped_at=dropped_at,
        received_at=received_at,
        sha256=sha256,
        rows=tally.rows,
        accepted=tally.accepted,
        rejected=tally.rejected,
        errors=tuple(tally.errors),
        effects=dict(tally.effects),
        vouchers=tuple(tally.vouchers),
        version=outcome.version if outcome else None,
        outcome=outcome,
        quarantined=quarantined,
        name_withheld=name_withheld,
        reason="no_row_accepted" if status == "refused" else None,
    )


def refused_receipt(
    error: FileRefusedError,
    tally: Tally,
    *,
    file: str,
    dropped_at: datetime,
    received_at: datetime,
    sha256: str,
    held: bool = False,
    quarantined: bool = False,
    name_withheld: bool = False,
) -> Receipt:
    """The receipt of a file refused whole: no row has an effect, even if some were good."""
    cause = LineError(error.line, error.reason, error.detail)
    others = [e for e in tally.errors if (e.line, e.reason) != (cause.line, cause.reason)]
    return Receipt(
        status="refused",
        file=file,
        dropped_at=dropped_at,
        received_at=received_at,
        sha256=sha256,
        rows=tally.rows,
        accepted=0,
        rejected=tally.rows,
        errors=(cause, *others)[:MAX_ERRORS],
        reason=error.reason,
        held=held,
        quarantined=quarantined,
        name_withheld=name_withheld,
    )


def is_of_a_later_drop(written: bytes, dropped_at: datetime) -> bool:
    """Whether a receipt found at a path belongs to a file dropped there later."""
    try:
        later = json.loads(written).get("dropped_at", "") if written else ""
        return bool(later) and datetime.fromisoformat(later) > dropped_at
    except (ValueError, AttributeError, TypeError):
        return False  # not one of our receipts


def is_final(written: bytes) -> bool:
    """Whether a drop's own receipt says that the file took effect.

    It then stays: the same drop delivered again has no effect, which is not what the client must
    read. A refused file may be processed again with another result.
    """
    try:
        return json.loads(written).get("status") in ("accepted", "partial")
    except (ValueError, AttributeError):
        return False  # not one of our receipts


def receipt_json(receipt: Receipt) -> bytes:
    """UTF-8 JSON, one member a line, members always in the same order."""
    members: dict[str, object] = {
        "status": receipt.status,
        "file": receipt.file,
        "dropped_at": receipt.dropped_at.isoformat(),
        "received_at": receipt.received_at.isoformat(),
        "rows": receipt.rows,
        "accepted": receipt.accepted,
        "rejected": receipt.rejected,
        "errors": [_error_members(error) for error in receipt.errors[:MAX_ERRORS]],
        "effects": dict(sorted(receipt.effects.items())),
        "sha256": receipt.sha256,
        "version": receipt.version,
    }
    if receipt.vouchers:
        members["vouchers"] = [
            {"line": line, "voucher": problem} for line, problem in receipt.vouchers
        ]
    if receipt.reason:
        members["reason"] = receipt.reason
    if receipt.held:
        members["held"] = True
    if receipt.quarantined:
        members["quarantined"] = True
    if receipt.name_withheld:
        members["name_withheld"] = True
    if receipt.outcome:
        members_of_list = asdict(receipt.outcome).items()
        members["list"] = {name: value for name, value in members_of_list if value is not None}
    return json.dumps(members, ensure_ascii=False, indent=1).encode() + b"\n"


def _error_members(error: LineError) -> dict[str, int | str]:
    members: dict[str, int | str] = {"line": error.line, "reason": error.reason}
    return members | {"detail": error.detail} if error.detail else members
