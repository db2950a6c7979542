"""A file of newcomers of other sources: it replaces what is known of the sources it names.

Only the histograms of its rows are kept, so a file of any size is read in one go. A file that was
dropped before the one in force changes nothing, whichever is handled first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.cohorts import MOST_SOURCES, REFERRED, Cohort, cohort_of
from chalicelib.domain.files.cohorts import newcomers
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.survival import Life
from chalicelib.services.cohort_store import store_cohort
from chalicelib.services.ports import Ports


def ingest_cohorts(
    ports: Ports,
    campaign: Campaign,
    dropped_at: datetime,
    *,
    plain: Iterable[bytes],
    tally: Tally,
) -> None:
    """Keep the histograms of a file. `FileRefusedError`.

    All lines are read before the first takes effect: a file damaged at its end changes nothing.
    """
    as_of = campaign.local_date(dropped_at)
    rows: dict[str, Counter[Life]] = defaultdict(Counter)
    for _, row in newcomers(plain, tally, as_of, campaign.layout_of("cohorts")):
        rows[row.source][row.life] += 1
    cohorts = [
        cohort_of(campaign.id, source, as_of, dropped_at, lives) for source, lives in rows.items()
    ]
    _require_room(ports, campaign, cohorts)
    for cohort in cohorts:
        effect = store_cohort(ports, cohort)
        for _ in range(rows[cohort.source].total()):
            tally.note(effect)


def _require_room(ports: Ports, campaign: Campaign, cohorts: Sequence[Cohort]) -> None:
    within = ports.repository.within(Cohort, campaign=campaign.id)
    known = {one.source for one in within} - {REFERRED}
    if len(known | {one.source for one in cohorts}) > MOST_SOURCES:
        raise FileRefusedError("too_many_sources")
