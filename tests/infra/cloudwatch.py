"""CloudWatch, as far as alarms need it: metrics by the minute, and alarms evaluated as documented.

* An alarm looks at its metric every minute, over a window that slides: `EvaluationPeriods` periods
  that end now. A period without data is missing.
* Where periods are missing it looks further back, in an evaluation range that is longer than asked
  for, and takes the newest periods that have data. Only what is missing then is treated as
  `TreatMissingData` says. (How much longer is not documented; the documentation's example has two
  periods more for three.)
* It is in ALARM when `DatapointsToAlarm` of those, all without it, are past the threshold.
* An expression is worked out period by period; one that needs a value that is missing is missing,
  unless `FILL` gives one.

An alarm that CloudWatch would not take is an error here: see `Alarm`.
"""

from __future__ import annotations

import ast
import json
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

Template = Mapping[str, Any]
Key = tuple[str, str, frozenset[tuple[str, str]]]

RANGE_BEYOND: Final = 2  # periods
MOST_METRICS: Final = 10  # of one alarm with an expression
HOUR_S, DAY_S, WEEK_S = 3600, 86400, 604800

_STATISTICS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "Sum": sum,
    "Minimum": min,
    "Maximum": max,
    "Average": lambda values: sum(values) / len(values),
    "SampleCount": len,
}
_COMPARED: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def key(namespace: str, name: str, dimensions: Mapping[str, str]) -> Key:
    """What a metric is known by: another set of dimensions is another metric."""
    return namespace, name, frozenset(dimensions.items())


@dataclass
class Metrics:
    """Values by metric and minute."""

    values: dict[Key, dict[int, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def put(self, minute: int, namespace: str, name: str, *values: float, **by: str) -> None:
        """What AWS or a function published in a minute; `by` are the dimensions."""
        self.values[key(namespace, name, by)][minute] += values

    def put_emf(self, minute: int, output: str) -> None:
        """What CloudWatch takes from the lines of a function's log that are embedded metrics."""
        for line in output.splitlines():
            content = json.loads(line)
            for directive in content.get("_aws", {}).get("CloudWatchMetrics", ()):
                for names in directive["Dimensions"]:
                    by = {name: content[name] for name in names}
                    for metric in directive["Metrics"]:
                        found = content[metric["Name"]]
                        values = found if isinstance(found, list) else [found]
                        self.put(minute, directive["Namespace"], metric["Name"], *values, **by)

    def datum(self, metric: Key, until: int, period_s: int, statistic: str) -> float | None:
        """The statistic of the period that ends with the minute `until`; None without data."""
        by_minute = self.values.get(metric)
        if not by_minute:
            return None
        minutes = range(until - period_s // 60, until)
        values = [value for minute in minutes for value in by_minute.get(minute, ())]
        return _STATISTICS[statistic](values) if values else None


class _MissingError(Exception):
    """A value that is needed is missing."""


@dataclass(frozen=True)
class Expression:
    """One of CloudWatch's metric math, of the operators and functions that are used here."""

    text: str

    def at(self, values: Mapping[str, float | None]) -> float | None:
        """The result of one period, None where it is missing."""
        try:
            return float(_worked_out(self._tree, values))
        except _MissingError:
            return None

    @property
    def names(self) -> set[str]:
        """The ids it uses."""
        called = {id(one.func) for one in ast.walk(self._tree) if isinstance(one, ast.Call)}
        return {
            one.id
            for one in ast.walk(self._tree)
            if isinstance(one, ast.Name) and id(one) not in called
        }

    @cached_property
    def _tree(self) -> ast.expr:
        python = re.sub(r"\b(AND|OR)\b", lambda found: found[0].lower(), self.text)
        return ast.parse(python, mode="eval").body


_OPERATORS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[float, float], bool]]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _worked_out(tree: ast.expr, values: Mapping[str, float | None]) -> float:
    match tree:
        case ast.Constant(value=int() | float() as constant):
            return constant
        case ast.Name(id=name):
            value = values[name]
            if value is None:
                raise _MissingError
            return value
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_worked_out(left, values), _worked_out(right, values))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _COMPARISONS[type(op)](_worked_out(left, values), _worked_out(right, values))
        case ast.BoolOp(op=op, values=parts):
            # All of them: one that is missing makes the result missing.
            each = [bool(_worked_out(part, values)) for part in parts]
            return all(each) if isinstance(op, ast.And) else any(each)
        case ast.Call(func=ast.Name(id="FILL"), args=[filled, ast.Constant(value=instead)]):
            try:
                return _worked_out(filled, values)
            except _MissingError:
                return float(str(instead))
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
            chosen = then if _worked_out(condition, values) else otherwise
            return _worked_out(chosen, values)
        case _:
            raise ValueError(f"metric math that is not understood: {ast.dump(tree)}")


class Resolver:
    """Intrinsic functions of the template as what they become in a stack."""

    def __init__(self, template: Template, parameters: Mapping[str, Any]) -> None:
        self._resources: Mapping[str, Any] = template["Resources"]
        defaults = {name: one.get("Default", "") for name, one in template["Parameters"].items()}
        self._parameters = {**defaults, **parameters}

    def __call__(self, value: Any) -> Any:
        match value:
            case {"Ref": name}:
                return self._ref(name)
            case {"Fn::GetAtt": [name, "QueueName"]}:
                return self(self._resources[name]["Properties"]["QueueName"])
            case {"Fn::Sub": [text, names]}:
                return self._sub(text, {name: self(one) for name, one in names.items()})
            case {"Fn::Sub": str() as text}:
                return self._sub(text, {})
            case dict():
                return {name: self(one) for name, one in value.items()}
            case list():
                return [self(one) for one in value]
            case _:
                return value

    def _ref(self, name: str) -> Any:
        if name in self._parameters:
            return self._parameters[name]
        properties = self._resources[name].get("Properties", {})
        return self(properties["FunctionName"]) if "FunctionName" in properties else name

    def _sub(self, text: str, names: Mapping[str, str]) -> str:
        def found(match: re.Match[str]) -> str:
            return str(names[match[1]] if match[1] in names else self._ref(match[1]))

        return re.sub(r"\$\{(\w+)\}", found, text)


@dataclass(frozen=True)
class Watched:
    """One metric of an alarm."""

    metric: Key
    period_s: int
    statistic: str


class Alarm:
    """An alarm of the template. `ValueError` for what CloudWatch would refuse."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self.name: str = properties["AlarmName"]
        self.periods: int = properties["EvaluationPeriods"]
        self.to_alarm: int = properties.get("DatapointsToAlarm", self.periods)
        self.threshold = float(properties["Threshold"])
        self._breaches = _COMPARED[properties["ComparisonOperator"]]
        self._missing: str = properties.get("TreatMissingData", "missing")
        self.watched, self.expression = _queries(properties)
        self._check()

    @property
    def period_s(self) -> int:
        """The length of its periods."""
        (period,) = {each.period_s for each in self.watched.values()}
        return period

    def _check(self) -> None:
        whole = self.period_s * self.periods
        checks = {
            "a period": self.period_s % 60 == 0,
            "the window": whole <= (WEEK_S if self.period_s >= HOUR_S else DAY_S),
            "M out of N": 1 <= self.to_alarm <= self.periods,
            "the number of metrics": len(self.watched) <= MOST_METRICS,
            "an id": all(re.fullmatch(r"[a-z]\w*", one) for one in self.watched),
            "the ids": not self.expression or self.expression.names == set(self.watched),
            "missing data": self._missing in {"breaching", "notBreaching", "ignore"},
        }
        wrong = [name for name, is_right in checks.items() if not is_right]
        if wrong:
            raise ValueError(f"{self.name}: {wrong}")

    def looks_at(self, metrics: Iterable[Key]) -> bool:
        """Whether any of them is one of its own."""
        return bool({each.metric for each in self.watched.values()} & set(metrics))

    def rings(self, metrics: Metrics, until: int) -> list[int]:
        """The minutes in which it changed to ALARM, evaluated in every minute up to `until`."""
        found, state = [], "OK"
        for minute in range(1, until + 1):
            before, state = state, self.state(metrics, minute, state)
            if state == "ALARM" != before:
                found.append(minute)
        return found

    def state(self, metrics: Metrics, minute: int, before: str = "OK") -> str:
        """Its state at the beginning of a minute."""
        data = [self._datum(metrics, minute, back) for back in range(self.periods + RANGE_BEYOND)]
        real = [one for one in data if one is not None][: self.periods]
        if not real and self._missing == "ignore":
            return before
        breaching = sum(self._breaches(one, self.threshold) for one in real)
        filled = self.periods - len(real)
        breaching += filled if self._missing == "breaching" else 0
        if self._missing == "ignore" and filled and breaching < self.to_alarm <= breaching + filled:
            return before
        return "ALARM" if breaching >= self.to_alarm else "OK"

    def _datum(self, metrics: Metrics, minute: int, back: int) -> float | None:
        until = minute - back * self.period_s // 60
        found = {
            name: metrics.datum(one.metric, until, one.period_s, one.statistic)
            for name, one in self.watched.items()
        }
        return self.expression.at(found) if self.expression else found["metric"]


def _queries(properties: Mapping[str, Any]) -> tuple[dict[str, Watched], Expression | None]:
    if "Metrics" not in properties:
        return {"metric": _watched(properties, properties["Period"], properties["Statistic"])}, None
    watched = {
        one["Id"]: _watched(
            one["MetricStat"]["Metric"], one["MetricStat"]["Period"], one["MetricStat"]["Stat"]
        )
        for one in properties["Metrics"]
        if "MetricStat" in one
    }
    expressions = [one for one in properties["Metrics"] if "Expression" in one]
    returned = [one["Id"] for one in properties["Metrics"] if one.get("ReturnData", True)]
    if [one["Id"] for one in expressions] != returned or len(returned) != 1:
        raise ValueError(f"{properties['AlarmName']}: one expression has to be returned")
    return watched, Expression(expressions[0]["Expression"])


def _watched(metric: Mapping[str, Any], period_s: int, statistic: str) -> Watched:
    by = {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())}
    return Watched(key(metric["Namespace"], metric["MetricName"], by), period_s, statistic)


def alarms_of(template: Template, **parameters: Any) -> dict[str, Alarm]:
    """Every alarm of the template by its name after the stack's, as the stack `test` has it."""
    resolve = Resolver(template, {"Stage": "test", **parameters})
    made = [
        Alarm(resolve(one["Properties"]))
        for one in template["Resources"].values()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    ]
    return {alarm.name.removeprefix("tandem-test-"): alarm for alarm in made}
