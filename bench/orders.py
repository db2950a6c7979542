"""`python -m bench.orders`: what a call and a file of 500 referees' orders ask of AWS, row by row.

The real functions run on the small AWS of `tests.simulation`; every call is counted by its name,
with its units. How long a call of AWS takes is assumed (`bench/capacity/limits.py`): the seconds
are those calls and the function's own time on a processor, at its share of one. That time is beside
them, as it was here.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

from bench import report
from bench.capacity import deployed, loads
from bench.capacity.limits import Kind
from bench.capacity.recording import Recorded
from bench.capacity.scene import Scene
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.files.orders import COLUMNS
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.people import RefereeClaim
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import Insert
from tests.api.world import posting

ROWS = 500
COLUMNS_SHOWN = ("500 rows", "calls a row", "by name", "read units a row", "s", "processor s")
Row = dict[str, str]


@dataclass(frozen=True)
class Figures:
    """What one piece of work came to: `seconds` on AWS, as assumed; `own` is processor time."""

    what: str
    calls: dict[str, int]
    read_units: float
    seconds: float
    own: float

    @property
    def calls_a_row(self) -> float:
        """Calls of AWS for one order."""
        return sum(self.calls.values()) / ROWS


def main() -> int:
    """Measure, print, write."""
    figures = list(measured())
    markdown = report.table(COLUMNS_SHOWN, map(_shown, figures))
    file = report.publish("orders", report.conditions(), markdown, [asdict(one) for one in figures])
    print(f"figures: {file.relative_to(report.ROOT)}", file=sys.stderr)
    return 0


def _shown(one: Figures) -> tuple[str, ...]:
    names = sorted(one.calls.items(), key=lambda each: -each[1])
    return (
        one.what,
        f"{one.calls_a_row:.2f}",
        ", ".join(f"{count} {name.partition(':')[2]}" for name, count in names),
        f"{one.read_units / ROWS:.1f}",
        f"{one.seconds:.1f}",
        f"{one.own:.1f}",
    )


def measured() -> Iterator[Figures]:
    """First reports, by call, without and with a code; the reports after them; a file."""
    with loads.story() as here:
        codes = [_another_referee(here, number) for number in range(ROWS)]
        for what, prefix, status, named in (
            ("first reports", "A", "placed", False),
            ("first reports with a code", "B", "placed", True),
            ("the next reports with a code", "B", "kept", True),
        ):
            rows = [
                _order(here, number, f"{prefix}{number}", status, code if named else "")
                for number, code in enumerate(codes)
            ]
            yield _figures(here, f"call: {what}", "api", partial(_call, here, rows))
        rows = [_order(here, number, f"C{number}", "placed", "") for number in range(ROWS)]
        yield _figures(here, "file: first reports", "ingest", partial(_drop, here, rows))


def _another_referee(here: Scene, number: int) -> str:
    """Store a referee like one who has confirmed, with a voucher; its code."""
    voucher = next(one for one in here.stored(Voucher) if one.holder is HolderRole.REFEREE)
    referral = next(one for one in here.stored(Referral) if one.referral_id == voucher.referral_id)
    invitation = next(
        one for one in here.stored(Invitation) if one.referral_id == voucher.referral_id
    )
    code, name, digest = here.ports.codes.voucher_code(), f"{number:032x}", _digest(number)
    here.commit(
        Insert(
            RefereeClaim(
                campaign=voucher.campaign,
                digest=digest,
                sponsor_id=invitation.sponsor_id,
                invitation_id=name,
            )
        ),
        Insert(replace(invitation, invitation_id=name, referral_id=name, revision=0)),
        Insert(replace(referral, referral_id=name, invitation_id=name, revision=0)),
        Insert(
            replace(
                voucher,
                voucher_id=name,
                code_key=code,
                code=code,
                holder_id=name,
                holder_digest=digest,
                referral_id=name,
                revision=0,
            )
        ),
    )
    return code


def _digest(number: int) -> str:
    return loads.digest(f"referee{number}@mail.test")


def _order(here: Scene, number: int, order_id: str, status: str, code: str) -> Row:
    return {
        "order_id": order_id,
        "ordered_at": here.cloud.now.isoformat(),
        "email_digest": _digest(number),
        "voucher_code": code,
        "amount": "80.00",
        "currency": "EUR",
        "status": status,
    }


def _figures(here: Scene, what: str, function: str, work: Callable[[], None]) -> Figures:
    before = {name: len(executions) for name, executions in here.recorded.items()}
    work()
    recorded: list[Recorded] = [
        one
        for name, executions in here.recorded.items()
        for one in executions[before.get(name, 0) :]
    ]
    share = deployed.processors(function)
    return Figures(
        what,
        dict(Counter(request.name for one in recorded for request in one.requests)),
        sum(one.units(Kind.READ) for one in recorded),
        sum(one.work(share).seconds for one in recorded),
        sum(one.own_s for one in recorded),
    )


def _call(here: Scene, rows: Sequence[Row]) -> None:
    answer = here.ask("orders", posting("/v1/client/orders", {"orders": list(rows)}))
    effects = Counter(one.get("effect") for one in answer.json()["results"])
    assert effects == {"recorded": ROWS}, effects


def _drop(here: Scene, rows: Sequence[Row]) -> None:
    lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]
    here.drop("orders/bench.csv", "\n".join(lines).encode(), ROWS)


if __name__ == "__main__":
    raise SystemExit(main())
