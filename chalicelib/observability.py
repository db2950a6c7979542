"""Log lines and metrics, in one format for all functions.

A line is JSON: what happened, the correlation id that follows an invitation through every function,
random ids, named reasons. Never an address, a name, a code or a token (law 9): an exception is
logged by its type and place, not by its message, which may quote the input.
Metrics are EMF lines in the namespace `Tandem`.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.metrics import Metrics

Value = str | int | None

FRAMES = 4


# Two loggers made at once would each write every line.
_making = threading.Lock()


def _logger() -> Logger:
    with _making:
        return _made_logger()


@cache
def _made_logger() -> Logger:
    import aws_lambda_powertools

    return aws_lambda_powertools.Logger(
        log_record_order=["level", "message", "correlation"], utc=True, location=None
    )


@cache
def _metrics() -> Metrics:
    import aws_lambda_powertools.metrics

    return aws_lambda_powertools.metrics.Metrics()


def log(message: str, *, correlation: str | None = None, **fields: Value) -> None:
    """One line at level INFO."""
    _logger().info(message, extra=_present(correlation, fields))


def warn(message: str, *, correlation: str | None = None, **fields: Value) -> None:
    """One line at level WARNING: something was refused or has to wait."""
    _logger().warning(message, extra=_present(correlation, fields))


def failed(
    error: BaseException, message: str, *, correlation: str | None = None, **about: Value
) -> None:
    """One line at level ERROR with the type of `error` and where it came from."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    fields = {"error": _name(error), "at": " < ".join(reversed(places)), **about}
    _logger().error(message, extra=_present(correlation, fields))


def count(metric: str, value: int = 1) -> None:
    """Add to a metric; it is written at the end of the invocation (`flushed`). Nothing is written
    of 0: every metric costs for each hour in which it is written.
    """
    if value == 0:
        return
    from aws_lambda_powertools.metrics import MetricUnit

    _metrics().add_metric(name=metric, unit=MetricUnit.Count, value=value)


def count_seconds(metric: str, seconds: int, **by: str) -> None:
    """Record how long something took or waited: at once, a metric of its own for each `by`."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric(name=metric, unit=MetricUnit.Seconds, value=seconds) as metrics:
        for name, value in by.items():
            metrics.add_dimension(name=name, value=value)


def count_by_reason(metric: str, reason: str) -> None:
    """Add one to a metric, with the reason as a further dimension."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric(name=metric, unit=MetricUnit.Count, value=1) as metrics:
        metrics.add_dimension(name="reason", value=reason)


@contextmanager
def flushed() -> Iterator[None]:
    """Write the metrics of one invocation at its end, even if it fails."""
    try:
        yield
    finally:
        if _metrics().metric_set:
            _metrics().flush_metrics()


def _present(correlation: str | None, fields: Mapping[str, Value]) -> dict[str, object]:
    named = {"correlation": correlation, **fields}
    return {name: value for name, value in named.items() if value is not None}


def _name(error: BaseException) -> str:
    """The type of `error` and, for one of AWS, its code."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    return f"{type(error).__name__} {code}".strip()


def _short(filename: str) -> str:
    return "/".join(filename.split("/")[-2:])
