"""A stack gets its quarter: played while the demo's story waits, then carried into the stack.

Neighbours: play.py plays, carry.py carries; local/story.py is what goes on meanwhile.
"""

from __future__ import annotations

import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import comparable, deltas
from chalicelib.domain.facts import Fact
from local.narration import Narrator
from local.quarter import CAMPAIGN
from local.quarter.aside import Aside, EmulatorClients
from local.quarter.carry import carry_files, carry_items
from local.quarter.plan import DAYS, cohort_rows
from local.quarter.play import Player, campaign_file
from local.running import Stack
from local.surfaces import Surfaces

ZONE: Final = ZoneInfo("Europe/Paris")
COHORTS: Final = "cohorts/newcomers.csv"


@dataclass(frozen=True)
class Played:
    """What was played: the campaign, all facts in order, and how long it took."""

    campaign: Campaign
    facts: list[Fact]
    seconds: float


class History:
    """The quarter of one stack, which ends now. It is played from the moment this is made."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._until = datetime.now(UTC)
        self._aside = Aside(stack, self._until - timedelta(days=DAYS + 1))
        thread = ThreadPoolExecutor(1, thread_name_prefix="quarter")
        self._played = thread.submit(self._play)
        thread.shutdown(wait=False)

    def _play(self) -> Played:
        began = time.monotonic()
        first_day = self._until.astimezone(ZONE).date() - timedelta(days=DAYS)
        campaign = campaign_file(first_day)
        Player(self._aside, campaign, self._until).play()
        return Played(campaign, self._aside.facts, time.monotonic() - began)

    def join(self, narrator: Narrator) -> None:
        """Carry it into the stack; wait until all of it is counted; check what was counted."""
        narrator.chapter(f"10. The quarter before: the campaign {CAMPAIGN}")
        played = self._played.result()
        narrator.step(
            f"{DAYS} days played aside in {played.seconds:.0f} s, {len(played.facts)} facts"
        )
        with self._aside as aside:
            files, facts = carry_files(aside, self._stack), carry_items(aside, self._stack)
        narrator.step(f"carried into the stack: {files} files, {facts} facts")
        self._wait_until_counted(narrator, played)
        self._compare(narrator, played)
        self._compare_sources(narrator)

    def _wait_until_counted(self, narrator: Narrator, played: Played) -> None:
        table = self._table()
        waiting = list(played.facts)

        def counted() -> int:
            waiting[:] = table.uncounted(waiting) if waiting else []
            return len(played.facts) - len(waiting)

        narrator.wait("facts counted by the projector", counted, len(played.facts))

    def _compare(self, narrator: Narrator, played: Played) -> None:
        """Law 10 for every day that is over: on this one the stack counts more."""
        shown = self._table().counted(CAMPAIGN).days
        expected = deltas(played.campaign, played.facts)
        today = self._until.astimezone(ZONE).date()
        over = [day for day in expected if day < today]
        differing = [day for day in over if _differs(shown.get(day, {}), expected[day])]
        narrator.check(
            f"the counts of {len(over)} days are what the facts add up to", not differing
        )

    def _compare_sources(self, narrator: Narrator) -> None:
        """The client's newcomers of other sources, beside the referred ones."""
        world = Surfaces(self._stack, CAMPAIGN)
        try:
            today = self._until.astimezone(ZONE).date()
            world.drop(COHORTS, cohort_file(today))
            narrator.wait(
                f"receipt for {COHORTS}",
                lambda: int(bool(world.receipt(COHORTS))),
                1,
                self._stack.patience.file_s,
            )
            self._stack.run("report")
            sources = [one["source"] for one in world.dashboard()["cohorts"]]
        finally:
            world.close()
        narrator.check(f"survival beside other sources: {', '.join(sources)}", len(sources) > 1)

    def _table(self) -> DynamoRepository:
        clients = EmulatorClients(self._stack.endpoint)
        return DynamoRepository(clients, self._stack.table, lambda: datetime.now(UTC))


def _differs(shown: dict[str, int], expected: dict[str, int]) -> bool:
    counted, recomputed = comparable(shown, expected)
    return {k: v for k, v in counted.items() if v} != {k: v for k, v in recomputed.items() if v}


def cohort_file(today: date) -> bytes:
    """The client's newcomers of other sources, as it drops them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("source", "joined_on", "last_order_on"))
    for source, joined, stayed in cohort_rows():
        day = today - timedelta(days=joined)
        writer.writerow((source, day, day + timedelta(days=stayed)))
    return text.getvalue().encode()
