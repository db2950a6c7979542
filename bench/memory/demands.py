"""How fast each function has to be, and why: what its memory is chosen for."""

from __future__ import annotations

from collections.abc import Mapping

from bench.capacity.rows import FACTS_A_SECOND
from bench.memory.sizes import Demand
from chalicelib.functions.export import EXPORTED_FOR
from chalicelib.functions.reconcile import RECONCILED_FOR
from chalicelib.services.journal import PARTS_AT_ONCE
from chalicelib.services.operations.reconcile import ENDS_MOVED_FOR
from chalicelib.services.ports import FACTS_A_COUNT

# Peaks that were measured elsewhere, of what is larger than any story here. By `make bench-lists`:
# building a list of 100 million (its bar), and the rest of ingest beside the builder. By
# docs/operations.md, "Room for statements": the accounts of a million vouchers, twice.
MEASURED_ELSEWHERE_MB: Mapping[str, float] = {"ingest": 192 + 48, "report": 2 * 600 + 60}
# An hour of facts is sealed within four hours, by runs of two thirds of the time.
SEALED_A_SECOND = FACTS_A_SECOND / 4 * 3 / 2

DEMANDS: Mapping[str, Demand] = {
    "api": Demand("a person waits", typical_s=0.15, first_s=1.5, largest_s=10),
    "relay": Demand(
        "20,000 facts a second, and the dashboard within 5 s",
        typical_s=0.25, first_s=2, largest_s=0.5,
    ),
    "project": Demand(
        "20,000 facts a second, and the dashboard within 5 s",
        typical_s=0.25, first_s=2, largest_s=0.5,
    ),
    "decide": Demand("a sign-in link within 10 s; 60 at once", typical_s=0.25, first_s=2),
    "mail": Demand("a sign-in link within 10 s", typical_s=0.4, first_s=2),
    "mail_events": Demand("none"),
    "wallet": Demand("a person waits, at most once a voucher", typical_s=0.3, first_s=3),
    "reward": Demand("500 grants a second, 100 at once", typical_s=0.15, first_s=5),
    # It was measured on a few pages of a table; a million invitations have 7,000.
    "persons": Demand("reads the table whole: a whole processor", typical_s=3.4),
    "ingest": Demand("a file of a million rows in half an hour, 20 parts at once",
                     largest_s=150),
    "due": Demand("a million in a quarter of an hour, 100 stretches at once", largest_s=5),
    "expire": Demand("part of that quarter of an hour", largest_s=60),
    "export": Demand("130 vouchers a second", largest_s=EXPORTED_FOR.total_seconds()),
    "reconcile": Demand("a million facts of an hour in a run",
                        largest_s=(RECONCILED_FOR - ENDS_MOVED_FOR).total_seconds()),
    "report": Demand("a million referrals in a run"),
    "seal": Demand("an hour at 20,000 facts a second within four",
                   largest_s=PARTS_AT_ONCE * FACTS_A_COUNT / SEALED_A_SECOND),
    "root": Demand("none"),
}  # fmt: skip
