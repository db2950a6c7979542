"""The daily files for the client and marketing: the sponsor–referee table and the counts.

A day's files are snapshots under the day's date; a later run of the same day replaces them.

The table is made from the one before it: the index of referrals says how often each was stored, and
only those are read that were stored since their row was written, or have none.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.cohorts import REFERRED, Cohort, cohort_of, life_of
from chalicelib.domain.effects import REFUSED_FOR, funnel, totals
from chalicelib.domain.files.exports import (
    ReferralLine,
    confirmed_of,
    referral_file,
    referral_of,
    referral_rows,
)
from chalicelib.domain.referral_orders import kept_order_count
from chalicelib.domain.referrals import Referral, ReferralMark
from chalicelib.services.cohort_store import store_cohort
from chalicelib.services.file_ports import FileMissingError
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.ports import BATCH_LIMIT, Agenda, Entry, OnFailure, Ports

# Tables older than this are not looked for: then every referral is read.
LOOK_BACK_DAYS = 7


def report(ports: Ports, campaign: Campaign, on_failure: OnFailure = raised) -> int:
    """Write the day's files; returns how many referrals the table has. One that cannot be read goes
    to `on_failure` and is missing in the table.
    """
    day = campaign.local_date(ports.clock())
    rows = _table(ports, campaign, day, Isolation(on_failure))
    referred = _referred(campaign, rows, day, ports.clock())
    if referred.lives:
        store_cohort(ports, referred)
    ports.files.write(_path(campaign, day), referral_file(rows), content_type="application/gzip")
    ports.files.write(
        f"out/{campaign.id}/reports/{day}.json",
        _counts(ports, campaign, day.isoformat()),
        content_type="application/json",
    )
    return len(rows)


def _referred(campaign: Campaign, rows: Iterable[str], day: date, now: datetime) -> Cohort:
    """Our own newcomers, from the table: each joined with the first order that counts."""
    lives = Counter(
        life_of(line.first_bought_on, line.last_bought_on, day)
        for line in map(ReferralLine.parse, rows)
        if line.first_bought_on
    )
    return cohort_of(campaign.id, REFERRED, day, now, lives)


def _path(campaign: Campaign, day: date) -> str:
    return f"out/{campaign.id}/referrals/{day}.csv.gz"


def _table(ports: Ports, campaign: Campaign, day: date, isolation: Isolation) -> Sequence[str]:
    to_read = dict(_revisions(ports, campaign))
    kept: list[str] = []
    for row in _last_table(ports, campaign, day):
        referral_id, revision = referral_of(row)
        if to_read.get(referral_id) == revision:
            kept.append(row)
            del to_read[referral_id]
        else:
            # Also one that the index has lost: while it moves there, or because it was removed.
            to_read[referral_id] = None
    read = sorted(_read(ports, campaign, iter(to_read), isolation), key=confirmed_of)
    return list(heapq.merge(kept, read, key=confirmed_of))


def _revisions(ports: Ports, campaign: Campaign) -> Iterator[tuple[str, int | None]]:
    """How often each referral was stored, as the index has it; None where it does not say."""
    for stretch in ports.repository.stretches(Agenda.REFERRALS, campaign.id):
        for entry in ports.repository.entries(Referral, stretch):
            yield str(dict(entry.key.parts)["referral_id"]), _revision(entry)


def _revision(entry: Entry[Referral]) -> int | None:
    return ReferralMark.parse(entry.mark).revision if entry.mark else None


def _last_table(ports: Ports, campaign: Campaign, day: date) -> Iterator[str]:
    for days in range(LOOK_BACK_DAYS + 1):
        try:
            chunks = ports.files.read(_path(campaign, day - timedelta(days)))
            return referral_rows([*chunks])
        except FileMissingError:
            continue
    return iter(())


def _read(
    ports: Ports, campaign: Campaign, ids: Iterator[str], isolation: Isolation
) -> Iterator[str]:
    """The rows of these referrals; none of one that is not there."""
    while batch := list(islice(ids, BATCH_LIMIT)):
        try:
            referrals = _referrals(ports, batch)
        except Exception:  # one of them cannot be read: each by itself
            referrals = []
            for referral_id in batch:
                with isolation.of(Referral.__name__, referral_id):
                    referrals += _referrals(ports, [referral_id])
        yield from (_row(campaign, referral).text for referral in referrals)


def _referrals(ports: Ports, ids: Sequence[str]) -> list[Referral]:
    return ports.repository.get_many(Referral, [{"referral_id": each} for each in ids])


def _row(campaign: Campaign, referral: Referral) -> ReferralLine:
    first, last = referral.first_ordered_at, referral.last_ordered_at
    return ReferralLine(
        referral=referral.referral_id,
        sponsor_digest=referral.sponsor_digest,
        referee_digest=referral.referee_digest,
        confirmed_at=referral.confirmed_at,
        orders=kept_order_count(referral),
        revision=referral.revision,
        first_bought_on=campaign.local_date(first) if first else None,
        last_bought_on=campaign.local_date(last) if last else None,
    )


def _counts(ports: Ports, campaign: Campaign, day: str) -> bytes:
    counts = ports.repository.counts(campaign.id)
    summed = totals(counts)
    report_of_day = {
        "campaign": campaign.id,
        "version": campaign.version,
        "date": day,
        "funnel": funnel(summed),
        "days": [_day(day, counts[day]) for day in sorted(counts)],
    }
    return json.dumps(report_of_day, indent=1).encode()


def _day(day: date, counts: Mapping[str, int]) -> dict[str, str | int]:
    """What was counted on a local day, and why referees were refused."""
    counted = {name: value for name, value in funnel(counts).items() if value}
    refused = {name: value for name, value in counts.items() if name.startswith(REFUSED_FOR)}
    return {"date": day.isoformat(), **counted, **refused}
