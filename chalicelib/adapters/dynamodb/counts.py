"""The counts of a campaign: items by local day, spread, to which each transaction of the projector
adds. Each also says what the newest fact was that was added to it.

An expression has 4 KB, so what one part of the journal adds to a day is one update of each
`COUNTERS_AN_UPDATE` counters. They are of different items, since a transaction changes each once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.codec import Item
from chalicelib.adapters.dynamodb.requests import attributes
from chalicelib.domain.facts import Fact
from chalicelib.services.ports import COUNTERS_AN_UPDATE, Counted, DayCounts

_UNTIL = "until"


def count_actions(
    table: str, digest: str, counts: Mapping[str, DayCounts], facts: Sequence[Fact] = ()
) -> list[Any]:
    """The updates that add to the counts of each campaign and day, with the newest of `facts`."""
    return [
        _action(
            table, schema.count_key(campaign, day, digest, nth), added, _newest(facts, campaign)
        )
        for campaign, days in counts.items()
        for day, of_day in days.items()
        for nth, added in enumerate(in_updates(of_day))
    ]


def in_updates(of_day: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """What one update each adds."""
    counts = list(of_day.items())
    for start in range(0, len(counts), COUNTERS_AN_UPDATE):
        yield dict(counts[start : start + COUNTERS_AN_UPDATE])


def _newest(facts: Sequence[Fact], campaign: str) -> str | None:
    moments = [schema.moment(fact.at) for fact in facts if fact.campaign == campaign]
    return max(moments, default=None)


def _action(table: str, key: Mapping[str, str], added: Mapping[str, int], until: str | None) -> Any:
    names = {f"#{position}": name for position, name in enumerate(added)}
    values = {f":{position}": {"N": str(by)} for position, by in enumerate(added.values())}
    expression = "ADD " + ", ".join(f"#{n} :{n}" for n in range(len(added)))
    if until:
        expression += " SET #until = :until"
        names["#until"] = _UNTIL
        values[":until"] = {"S": until}
    return {
        "Update": {
            "TableName": table,
            "Key": attributes(key),
            "UpdateExpression": expression,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
    }


def counted_in(items: Iterable[Item]) -> Counted:
    """The counts that are the sum of items, and the newest fact in them."""
    summed: dict[date, dict[str, int]] = {}
    until: str | None = None
    for item in items:
        of_day = summed.setdefault(schema.counted_day(item["sk"]["S"]), {})
        for name, value in item.items():
            if "N" in value:
                of_day[name] = of_day.get(name, 0) + int(value["N"])
        # What 0.2.0 and versions before counted does not say it.
        until = max(filter(None, (until, item.get(_UNTIL, {}).get("S"))), default=None)
    return Counted(summed, datetime.fromisoformat(until) if until else None)
