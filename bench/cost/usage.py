"""What executions, pages and what is stored amount to in AWS's units of price."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from bench.capacity import deployed
from bench.capacity.limits import Kind
from bench.cost import population as people
from bench.cost.life import Execution, Stored
from bench.cost.pages import Page
from bench.cost.prices import Unit
from chalicelib.domain.sending import seconds_for_a_mail


class Usage(dict[Unit, float]):
    """So much of each unit."""

    def __missing__(self, unit: Unit) -> float:
        return 0.0


Seconds = Mapping[str, tuple[float, float]]

# CloudWatch Logs, "pricing": bytes that an event counts for beside its text.
EVENT_BYTES = 26
# What Lambda itself writes of each call: START, END and REPORT, and of a traced one a line more.
PLATFORM_BYTES = 70 + 55 + 200 + 3 * EVENT_BYTES
TRACE_BYTES = 110
ACCESS_LOG_BYTES = 230 + EVENT_BYTES  # of a call of the API: infra/postprocess/api.py
# Lambda, "Visualize Lambda function invocations using AWS X-Ray": the first call of each second,
# then one in twenty.
FURTHER_SAMPLED = 0.05
GB = 1e9
KINDS = {Kind.WRITE: Unit.WRITE, Kind.READ: Unit.READ, Kind.PUT: Unit.PUT, Kind.GET: Unit.GET}


def of_execution(one: Execution, seconds: Seconds, *, is_traced: bool) -> Usage:
    """Of one call of a function."""
    usage = Usage({Unit.INVOCATION: 1})
    usage[Unit.GB_SECOND] = (
        billed_seconds(one, seconds) * deployed.size(one.function).memory_mb / 1024
    )
    for request in one.recorded.requests:
        for resource, units in request.takes.items():
            usage[KINDS[resource.kind]] += units
        usage[Unit.QUEUE] += request.name.startswith("sqs:")
        usage[Unit.MAIL] += request.name == "sesv2:SendEmail"
    if one.is_of_a_queue:
        # Received and deleted, ten at once at most; that they were sent is a call of their sender.
        usage[Unit.QUEUE] += 2 * math.ceil(one.messages / 10)
    if one.is_of_ses:
        usage[Unit.PUBLISHED] += one.messages
        usage[Unit.QUEUE] += one.messages
    written = sum(len(line.encode()) + EVENT_BYTES for line in one.lines)
    written += PLATFORM_BYTES + TRACE_BYTES * is_traced
    usage[Unit.LOGGED] = written / GB
    return usage


def billed_seconds(one: Execution, seconds: Seconds) -> float:
    """How long an execution takes: its own time, at the share of a processor that its memory buys,
    and that of its calls.
    """
    own, calls = seconds[one.name]
    took = own / deployed.processors(one.function) + calls
    if one.name.startswith("mail ") and (rate := deployed.default_mail_rate()):
        return max(took, seconds_for_a_mail(rate, rate))
    return took


def mean_seconds(executions: Iterable[Execution]) -> dict[str, tuple[float, float]]:
    """The mean times of each kind of execution: of a whole processor as measured, and of its calls
    as assumed in `bench.capacity.limits`.
    """
    by_name: dict[str, list[Execution]] = {}
    for one in executions:
        by_name.setdefault(one.name, []).append(one)
    return {
        name: (_mean(map(_own, each)), _mean(map(_calls, each))) for name, each in by_name.items()
    }


def _own(one: Execution) -> float:
    return one.recorded.own_s


def _calls(one: Execution) -> float:
    return sum(request.seconds for request in one.recorded.requests)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return round(sum(found) / len(found), 5)


def traces(calls: float) -> float:
    """How many of a month's calls are traced, if they come at any moment: the reservoir is shared
    by all functions.
    """
    first = people.MONTH_S * (1 - math.exp(-calls / people.MONTH_S))
    return first + (calls - first) * FURTHER_SAMPLED


def of_calls(calls: int) -> Usage:
    """Of calls of the API, beside what its function takes."""
    usage = Usage({Unit.CALL: calls, Unit.EDGE_CALL: calls, Unit.WEB_CALL: calls})
    usage[Unit.LOGGED] = calls * ACCESS_LOG_BYTES / GB
    return usage


def of_pages(pages: Mapping[str, Page]) -> Usage:
    """Of the visits of the played invitations."""
    usage = Usage()
    for path, page in pages.items():
        first, visits = people.FIRST_VISITS[path], people.VISITS[path]
        files = first * page.files + (visits - first) * page.files_again
        usage[Unit.EDGE_CALL] += files
        usage[Unit.WEB_CALL] += files
        usage[Unit.EDGE_FUNCTION] += files
        usage[Unit.EDGE_GB] += (first * page.size + files * HEADERS) / GB
    return usage


HEADERS = 900  # bytes of an answer's headers, most of them those of security


def of_stored(stored: Stored) -> Usage:
    """What is kept of the played invitations until all of it has ended."""
    table = sum(stored.table.values())
    usage = Usage()
    usage[Unit.TABLE] = table + stored.indexes
    usage[Unit.BACKUP] = table
    usage[Unit.FILES] = sum(stored.files.values())
    return usage


def scaled(usage: Usage, by: float) -> Usage:
    """So many times as much."""
    return Usage({unit: amount * by for unit, amount in usage.items()})


def total(usages: Iterable[Usage]) -> Usage:
    """All together."""
    summed = Usage()
    for usage in usages:
        for unit, amount in usage.items():
            summed[unit] += amount
    return summed


def beyond(usage: Usage, idle: Usage) -> Usage:
    """What a run took more than one that finds nothing to do."""
    return Usage({unit: max(0.0, amount - idle[unit]) for unit, amount in usage.items()})


def names(executions: Iterable[Execution]) -> Iterator[str]:
    """The custom metrics that were written."""
    found: set[tuple[str, ...]] = set().union(*(one.metrics for one in executions))
    yield from sorted(" ".join(one) for one in found)
