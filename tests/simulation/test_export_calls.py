"""How often a run of the export asks the table, counted at the table, by the number of vouchers:
in proportion, also while the index still lists what is exported already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import pytest

from chalicelib.adapters.dynamodb.schema import SHARDS
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ports import BATCH_LIMIT, TRANSACTION_LIMIT, Agenda, Insert
from chalicelib.services.vouchers.export import export_vouchers
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import campaign
from tests.fakes.world import World
from tests.simulation.cloud import cloud
from tests.simulation.dynamodb import Answer, Params, Table

GET, QUERY, BATCH, WRITE = "GetItem", "Query", "BatchGetItem", "TransactWriteItems"
PARTITIONS = SHARDS[Agenda.UNEXPORTED] + 1  # and the one of the index of before
FILE_ROWS = 180
PARTS = 2  # of a file
SLOW = pytest.mark.slow
[VOUCHER] = [
    replace(one, state=VoucherState.ISSUED, export=None, ended_at=None)
    for one in ENTITIES
    if isinstance(one, Voucher)
]


class Exporter:
    """A run of the export on the real adapter, with an index that follows when it is made to."""

    def __init__(self, table: Table, world: World) -> None:
        self._table = table
        self._world = world
        self._campaign = campaign()
        put_campaign(world.ports, self._campaign)
        self._issued = 0

    def issue(self, count: int) -> None:
        """Issue vouchers, which the index lists, while it still lists what it did."""
        unseen, self._table._unseen = self._table._unseen, {}
        now = self._world.clock()
        keys = [f"{number:013}" for number in range(self._issued, self._issued + count)]
        self._issued += count
        vouchers = [
            replace(VOUCHER, code_key=key, voucher_id=key, valid_from=now, issued_at=now)
            for key in keys
        ]
        for start in range(0, count, TRANSACTION_LIMIT):
            at_once = vouchers[start : start + TRANSACTION_LIMIT]
            self._world.ports.repository.commit(*map(Insert, at_once))
        self._table.catch_up()
        self._table._unseen = unseen

    def run(self) -> tuple[list[int], Counter[str]]:
        """The rows of the files that a run writes, and the calls it makes."""
        calls: Counter[str] = Counter()
        answered = self._table.call

        def counted(operation: str, params: Params) -> Answer:
            calls[operation] += 1
            return answered(operation, params)

        with patch.object(self._table, "call", counted):
            files = export_vouchers(self._world.ports, self._campaign, file_rows=FILE_ROWS)
        return [file.rows for file in files], calls


@contextmanager
def exporter(*, lags: bool) -> Iterator[Exporter]:
    with cloud(lags=lags, as_deployed=True) as here:
        yield Exporter(here.table, World(store=here.aside.ports.repository))


@pytest.mark.parametrize(
    ("files", "lags"), [(1, True), *(pytest.param(4, lags, marks=SLOW) for lags in (False, True))]
)
def test_a_run_makes_calls_in_proportion_to_the_vouchers(files: int, lags: bool) -> None:
    """Also while the index still lists those that it exported itself."""
    with exporter(lags=lags) as here:
        vouchers = files * FILE_ROWS
        here.issue(vouchers)
        rows, calls = here.run()
        assert rows == [FILE_ROWS] * files
        read = -(-vouchers // BATCH_LIMIT)
        # Each file is opened, filled in parts, sealed and written, with two queries in all.
        assert calls[BATCH] == read
        assert calls[QUERY] == PARTITIONS + 2 * files
        assert calls[WRITE] == files * (1 + PARTS + 1)
        # Its name asks which campaign is in force, twice.
        assert calls[GET] <= files * (2 + PARTS + 2 + 2) + 2


@pytest.mark.parametrize("exported", [180, pytest.param(720, marks=SLOW)])
def test_what_the_index_still_lists_costs_one_read_a_hundred(exported: int) -> None:
    with exporter(lags=True) as here:
        here.issue(exported)
        here.run()
        rows, calls = here.run()
        assert rows == []
        assert calls[BATCH] == -(-exported // BATCH_LIMIT)
        assert calls[QUERY] == PARTITIONS
        assert calls[WRITE] == 0
        assert calls[GET] == 2


@SLOW
def test_new_vouchers_among_those_the_index_still_lists_cost_no_more() -> None:
    with exporter(lags=True) as here:
        here.issue(720)
        here.run()
        here.issue(360)
        rows, calls = here.run()
        assert rows == [FILE_ROWS] * 2
        assert calls[BATCH] == -(-(720 + 360) // BATCH_LIMIT)
        assert calls[QUERY] == PARTITIONS + 2 * 2
