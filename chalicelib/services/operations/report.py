"""The daily files for the client and marketing: the sponsor–referee table and the counts.

A day's files are snapshots under the day's date; a later run of the same day replaces them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import REFUSED_FOR, funnel, totals
from chalicelib.domain.files.exports import ReferralLine, referral_file
from chalicelib.domain.referral_orders import kept_order_count
from chalicelib.domain.referrals import Referral
from chalicelib.services.ports import Agenda, Ports


def report(ports: Ports, campaign: Campaign) -> int:
    """Write the day's files; returns how many referrals the table has."""
    day = campaign.local_date(ports.clock()).isoformat()
    referrals = ports.repository.agenda(Referral, Agenda.REFERRALS, campaign.id)
    rows = [_row(referral) for referral in referrals]
    ports.files.write(
        f"out/{campaign.id}/referrals/{day}.csv.gz",
        referral_file(rows),
        content_type="application/gzip",
    )
    ports.files.write(
        f"out/{campaign.id}/reports/{day}.json",
        _counts(ports, campaign, day),
        content_type="application/json",
    )
    return len(rows)


def _row(referral: Referral) -> ReferralLine:
    return ReferralLine(
        referral=referral.referral_id,
        sponsor_digest=referral.sponsor_digest,
        referee_digest=referral.referee_digest,
        confirmed_at=referral.confirmed_at,
        orders=kept_order_count(referral),
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
