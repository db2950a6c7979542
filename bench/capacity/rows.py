"""A row for each component: what it bears, where it gives way, what is asked of it.

Nothing here is a figure of the code: calls, units, partitions and seconds are those of the
executions that `loads.py` records at this moment, the executions at once those of the template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf

from bench import mails
from bench.capacity import deployed, loads
from bench.capacity.limits import (
    A_SECOND,
    ACCOUNT_EXECUTIONS,
    IN_FLIGHT,
    NEW_TABLE_PARTITIONS,
    SHARDS_A_PARTITION,
    TABLE_QUOTA,
    Kind,
)
from bench.capacity.scene import STREAM_BATCH, Scene
from bench.capacity.simulation import Ceiling, Stage, ceiling, drained
from chalicelib.domain.sending import RATES
from chalicelib.functions.reconcile import RECONCILED_FOR
from chalicelib.services.journal import PARTS_AT_ONCE
from chalicelib.services.operations.reconcile import ENDS_MOVED_FOR
from chalicelib.services.operations.seal import RUN_FOR

MILLION = 1_000_000
HOUR, DAY = 3_600, 86_400

# What is asked of each component.
FACTS_A_SECOND = 20_000
FACTS_AN_HOUR = MILLION
SEALED_WITHIN = 24  # hours; a bundle is kept for 30 days
CALLS_A_MIXED_BATCH = 15
INVITATIONS_A_SECOND = 2_000
DUE_WITHIN = 15 * 60
REQUEUED_WITHIN = 1  # hours, a million
GRANTS_A_SECOND = 500
CODES_READ_FOR_A_GRANT = 25
EXPORTED_A_SECOND = 130  # above that rate an export was never sealed
SIGN_IN_S = 10
ROWS_OF_A_FILE = MILLION
# Reads of a voucher when twice as many wait and the index lags, at most.
GROWTH = 1.25

READS = ("dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:GetItem")


@dataclass(frozen=True)
class Row:
    """What a component bears `today` and what it is `to_reach`, in a unit; `at_most` where less is
    better. `gives_way` is what limits it; empty where nothing did up to what was tried.
    """

    what: str
    unit: str
    today: float
    to_reach: float
    gives_way: str
    detail: str = ""
    at_most: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is reached."""
        return self.today <= self.to_reach if self.at_most else self.today >= self.to_reach

    @property
    def cells(self) -> tuple[str, ...]:
        """As text."""
        bound = "≤ " if self.at_most else "≥ "
        today = "any number of" if self.today == inf else _number(self.today)
        more = "more than " if not self.gives_way and self.today != inf and not self.at_most else ""
        verdict = "holds" if self.holds else "MISSED"
        return (
            self.what,
            f"{more}{today} {self.unit}",
            self.gives_way or "nothing",
            f"{bound}{_number(self.to_reach)}",
            verdict,
            self.detail,
        )


COLUMNS = ("what", "bears", "gives way first", "to reach", "", "counted")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _stage(
    here: Scene, name: str, function: str, source: str | None = None, share: float = 1.0
) -> Stage:
    """A recorded execution as a stage: `share` of the things that it handles for each of the load;
    on the executions of an event source, or on as many as it takes.
    """
    executions = deployed.executions(source) if source else None
    draw = here.sample(name, function).draw
    return Stage(name, share * here.each(name), draw, executions)


def _shards(here: Scene, function: str, source: str, rate: float, units: float) -> Stage:
    """A function behind the stream: an execution for each partition that the table needs."""
    partitions = max(NEW_TABLE_PARTITIONS, ceil(rate * units / A_SECOND[Kind.WRITE]))
    at_once = partitions * SHARDS_A_PARTITION * deployed.lanes(source)
    sample = here.sample(function, function)
    return Stage(function, here.each(function), sample.draw, at_once)


def _rate(
    what: str,
    unit: str,
    stages_at: Callable[[float], Sequence[Stage]],
    to_reach: float,
    detail: str,
    seconds: float = 3.0,
) -> Row:
    found = ceiling(stages_at, to_reach / 2, to_reach * 4, seconds=seconds)
    return Row(what, unit, found.rate, to_reach, found.gives_way, detail)


# --- facts ----------------------------------------------------------------------------------------


def journal_and_counts() -> Iterator[Row]:
    """Facts of one campaign: written, counted, journaled, sealed."""
    with loads.story() as here:
        written, counted = here.units("facts written"), here.units("project")

        def stages_at(rate: float) -> list[Stage]:
            return [
                _stage(here, "facts written", "project"),
                _shards(here, "project", "ProjectSource", rate, written + counted),
                _shards(here, "relay", "RelaySource", rate, written + counted),
            ]

        calls = max(one.calls() for one in here.recorded["project"])
        detail = f"{calls} calls a batch; {_of_the_table(written + counted)}"
        yield _rate(
            "journal and counts, one campaign", "facts/s", stages_at, FACTS_A_SECOND, detail
        )
    yield _sealing()


def _of_the_table(units: float) -> str:
    """What a thing costs, and how many a second the table takes before it is asked for more."""
    new = NEW_TABLE_PARTITIONS * A_SECOND[Kind.WRITE] / units
    return (
        f"{units:.1f} write units each: a new table takes {new:,.0f} a second at first,"
        f" the account's default quota {TABLE_QUOTA / units:,.0f}"
    )


def _sealing() -> Row:
    """What `seal` adds for each more line, and a group's fixed part spread over a full group."""
    few, many = 4, 12
    seconds = []
    for batches in (few, many):
        with loads.sealed(batches) as here:
            seconds.append(here.seconds("seal", "seal"))
    a_batch = (seconds[1] - seconds[0]) / (many - few)
    fixed = max(0.0, seconds[0] - few * a_batch)
    a_line = (a_batch + fixed / PARTS_AT_ONCE) / STREAM_BATCH
    share = RUN_FOR.total_seconds() / deployed.seconds_between_runs("ScheduleSeal")
    for_good = share / a_line
    return Row(
        f"journal: an hour at {FACTS_A_SECOND:,} facts/s is sealed", "hours later",
        FACTS_A_SECOND / for_good, SEALED_WITHIN, "time of seal",
        f"{a_line * 1e6:.0f} µs a line, {share:.0%} of the time: {for_good:,.0f} facts/s for good",
        at_most=True,
    )  # fmt: skip


def mixed_campaigns() -> Iterator[Row]:
    """Calls of a batch of many campaigns."""
    for campaigns in (20, 100):
        with loads.mixed(campaigns) as here:
            calls = max(one.calls() for one in here.recorded["project"])
        what = f"{campaigns} campaigns mixed in a batch of {STREAM_BATCH} facts"
        yield Row(what, "calls", calls, CALLS_A_MIXED_BATCH, "", at_most=True)


# --- invitations ----------------------------------------------------------------------------------


_INVITATION = (
    ("api invite", "api"),
    ("decide invitation_received", "decide"),
    ("mail invitation_accepted", "mail"),
    ("api confirm", "api"),
    ("reward referral_confirmed", "reward"),
)


def invitations() -> Iterator[Row]:
    """All that invitations write, and all that they read of a list."""
    with loads.story() as here:
        units = sum(here.units(name) for name, _ in _INVITATION)
        yield _rate(
            "agenda index: all that an invitation writes, on as many executions as it takes",
            "invitations/s", lambda _: _invitation(here, Kind.WRITE), INVITATIONS_A_SECOND,
            _of_the_table(units), 3.0,
        )  # fmt: skip
        possible = _look_ups_possible(here)
        yield _rate(
            "the list in force: all that an invitation reads",
            "invitations/s", lambda _: _invitation(here, Kind.READ, Kind.GET), possible,
            f"{possible:.0f}/s are what the executions of decide ask for", 3.0,
        )  # fmt: skip


def _invitation(here: Scene, *kinds: Kind) -> list[Stage]:
    """All work for an invitation that is accepted and answered, as far as it takes these kinds."""
    works = [(name, 1.0, here.sample(name, function)) for name, function in _INVITATION]
    share = _facts_an_invitation(here) * here.each("project")
    works.append(("project", share, here.sample("project", "project")))
    return [Stage(name, share, sample.only(*kinds).draw) for name, share, sample in works]


def _facts_an_invitation(here: Scene) -> float:
    facts = sum(one.amount for one in here.recorded["project"])
    return facts / sum(one.amount for one in here.recorded["api invite"])


def _look_ups_possible(here: Scene) -> float:
    """How many invitations a second `decide` can work on: no more of them read a list."""
    seconds = here.seconds("decide invitation_received", "decide") / len(loads.PEOPLE)
    return deployed.executions("DecideSource") / seconds


def requeue() -> Iterator[Row]:
    """A million invitations that waited for a list."""
    with loads.requeued() as here:
        name = "decide invitation_received"
        queued = _drained(here, "due undecided", "due", "DueSource")
        decided = _drained(here, name, "decide", "DecideSource")
        slower = min(queued, decided, key=lambda found: found.rate)
        at_once, each = deployed.executions("DecideSource"), _ms(here, name, "decide")
        detail = f"{at_once} executions of decide, {each} each; queued {queued.rate:,.0f} a second"
        yield Row(
            "requeue after an outage: 1 M", "hours", MILLION / slower.rate / HOUR, REQUEUED_WITHIN,
            slower.gives_way, detail, at_most=True,
        )  # fmt: skip


def _drained(here: Scene, name: str, function: str, source: str) -> Ceiling:
    """How fast a backlog of what a name handles is worked off by an event source."""
    return drained([_stage(here, name, function, source)])


def _ms(here: Scene, name: str, function: str) -> str:
    amount = sum(one.amount for one in here.recorded[name])
    return f"{1000 * here.seconds(name, function) / amount:.0f} ms"


# --- what is due ----------------------------------------------------------------------------------


def due() -> Iterator[Row]:
    """A million of each kind, due in one instant, of one campaign."""
    kinds = {
        "closing": "invitations to close",
        "return_window": "orders to keep",
        "expiring": "vouchers to end",
    }
    wait = deployed.seconds_between_runs("ScheduleExpire")
    with loads.due() as here:
        hand_out = here.seconds("expire", "expire") / len(here.recorded["expire"])
        for agenda, what in kinds.items():
            found = _drained(here, f"due {agenda}", "due", "DueSource")
            minutes = (wait + hand_out + MILLION / found.rate) / 60
            at_once, each = deployed.executions("DueSource"), _ms(here, f"due {agenda}", "due")
            yield Row(
                f"expire: 1 M {what} at one instant", "minutes", minutes, DUE_WITHIN / 60,
                found.gives_way,
                f"{found.rate:,.0f} a second by {at_once} executions, {each} each;"
                f" {_of_the_table(here.units(f'due {agenda}'))}",
                at_most=True,
            )  # fmt: skip


def rekey() -> Iterator[Row]:
    """A million referrals under a new key."""
    with loads.rekeyed() as here:
        found = _drained(here, "due referrals", "due", "DueSource")
        yield Row(
            "re-keying 1 M referrals", "hours", MILLION / found.rate / HOUR, DAY / HOUR,
            found.gives_way, f"{_ms(here, 'due referrals', 'due')} each", at_most=True,
        )  # fmt: skip


# --- vouchers -------------------------------------------------------------------------------------


def own_codes() -> Iterator[Row]:
    """Grants of the client's own codes."""
    with loads.own_codes() as here:
        name = "reward referral_confirmed"
        found = _drained(here, name, "reward", "RewardSource")
        at_once = deployed.executions("RewardSource")
        yield Row(
            "client's own codes", "grants/s", found.rate, GRANTS_A_SECOND, found.gives_way,
            f"{at_once} executions of reward, {_ms(here, name, 'reward')} each",
        )  # fmt: skip
        most = max(request.read_items for one in here.recorded[name] for request in one.requests)
    what = "client's own codes, read for a grant"
    yield Row(what, "codes", most, CODES_READ_FOR_A_GRANT, "", at_most=True)


def export() -> Iterator[Row]:
    """A run, and what it reads under a lagging index."""
    size = 270
    with loads.exported(size) as here:
        each = here.seconds("export", "export") / size
    run = min(deployed.size("export").timeout_s, deployed.seconds_between_runs("ScheduleExport"))
    every = deployed.seconds_between_runs("ScheduleExport")
    yield Row(
        "export: run after run", "vouchers/s", run / each / every, EXPORTED_A_SECOND,
        "time of export", f"{each * 1000:.1f} ms a voucher, {run} s of every {every} s",
    )  # fmt: skip
    reads = []
    for vouchers in (size, 3 * size):
        with loads.exported(vouchers, lags=True) as here:
            [done] = here.recorded["export"]
            reads.append(done.units(Kind.READ) / vouchers)
    detail = f"{reads[0]:.1f} and {reads[1]:.1f} read units a voucher"
    yield Row(
        "export: reads of a voucher when thrice as many wait and the index lags", "times",
        reads[1] / reads[0], GROWTH, "reads", detail, at_most=True,
    )  # fmt: skip
    sealed_after = loads.exported_while_more_come()
    yield Row(
        "export: vouchers in a file while as many come as are exported", "vouchers",
        sealed_after or inf, run / each, "" if sealed_after else "none: the file stays open",
        at_most=True,
    )  # fmt: skip


# More rows than a part of a file has, wherever files are cut.
MANY_ROWS = 5_600


def acknowledgements() -> Iterator[Row]:
    """The client's word on an export of any size."""
    with loads.acknowledged(MANY_ROWS) as here:
        yield _file_row(here, "acknowledgement", MANY_ROWS)


def order_files() -> Iterator[Row]:
    """Order files of any size, of which most rows are other people's, or none."""
    with loads.order_file(MANY_ROWS) as here:
        many = _file_row(here, "order file", MANY_ROWS)
        yield many
    with loads.order_file(0) as here:
        few = _file_row(here, "order file, each row a referee's", len(loads.PEOPLE))
        yield replace(few, today=inf, gives_way="") if many.today == inf else few


def _file_row(here: Scene, what: str, size: int) -> Row:
    """How many rows a file may have. Where a file is cut, no execution handles most of it."""
    timeout = deployed.size("ingest").timeout_s
    times = [
        one.work(deployed.processors("ingest")).seconds
        for executions in here.of_the_file.values()
        for one in executions
    ]
    longest, total = max(times), sum(times)
    detail = f"{longest:.1f} s of {timeout} s for the longest execution of {size:,} rows"
    if longest < 0.95 * total and longest < timeout:
        return Row(f"{what}: rows", "rows", inf, ROWS_OF_A_FILE, "", detail)
    most = timeout * size / longest
    return Row(f"{what}: rows", "rows", most, ROWS_OF_A_FILE, "time of ingest", detail)


# --- the account ----------------------------------------------------------------------------------


def account() -> Iterator[Row]:
    """What all queues ask of the account together, with the fastest rate of mails."""
    fastest = max(RATES)
    at_once = {name: deployed.executions(name, fastest) for name in deployed.queue_sources()}
    yield Row(
        "executions of all queues at once", "executions", sum(at_once.values()),
        ACCOUNT_EXECUTIONS, "", f"with MailRate {fastest}; each shard of the stream takes two more",
        at_most=True,
    )  # fmt: skip
    in_flight = max(most * deployed.batch_size(name) for name, most in at_once.items())
    what = "messages of one queue that are worked on at once"
    yield Row(what, "messages", in_flight, IN_FLIGHT, "", at_most=True)


# --- mails and reports ----------------------------------------------------------------------------


def sending() -> Iterator[Row]:
    """Sign-ins behind a backlog, and how fast that goes."""
    for quota in (14, deployed.default_mail_rate(), 500):
        rate = max(quota, deployed.default_mail_rate())
        outcome = mails.simulate(rate=rate, quota=quota)
        detail = f"{outcome.mails_a_second:.0f} of SES's {quota} mails a second"
        yield Row(
            f"mails: slowest sign-in behind {mails.BACKLOG:,} invitations, {quota}/s", "s",
            outcome.slowest, SIGN_IN_S, "", detail, at_most=True,
        )  # fmt: skip


def report() -> Iterator[Row]:
    """The correspondence table, of which little changed."""
    few, many, changed = 500, 1_500, 10
    seconds, reads = [], []
    for referrals in (few, many):
        with loads.reported(referrals, changed) as here:
            seconds.append(here.seconds("report", "report"))
            reads.append(here.recorded["report"][0].calls("dynamodb:BatchGetItem"))
    each = max(seconds[1] - seconds[0], 1e-9) / (many - few)
    timeout = deployed.size("report").timeout_s
    detail = f"{each * 1e6:.0f} µs a referral, {reads[1]} reads of those that changed"
    yield Row("report: referrals of a table", "referrals", timeout / each, MILLION,
              "time of report", detail)  # fmt: skip


def check_of_facts() -> Iterator[Row]:
    """The facts of an hour, in the time that the ends of campaigns leave to a run."""
    few, many = 10 * STREAM_BATCH, 100 * STREAM_BATCH
    seconds = []
    for facts in (few, many):
        with loads.checked(facts) as here:
            seconds.append(here.seconds("reconcile", "reconcile"))
    each = max(seconds[1] - seconds[0], 1e-9) / (many - few)
    lasts = (RECONCILED_FOR - ENDS_MOVED_FOR).total_seconds()
    detail = f"{each * 1e6:.0f} µs a fact, {lasts:.0f} s of a run"
    yield Row("check of facts: facts of an hour", "facts", lasts / each, FACTS_AN_HOUR,
              "time of reconcile", detail)  # fmt: skip


ROWS: tuple[Callable[[], Iterator[Row]], ...] = (
    journal_and_counts,
    mixed_campaigns,
    check_of_facts,
    invitations,
    due,
    export,
    acknowledgements,
    order_files,
    rekey,
    requeue,
    own_codes,
    sending,
    report,
    account,
)
