"""What limits each caller by address: the rate rules of infra/edge.yaml, played by the front.

It counts as AWS WAF does: per rule and address, over the rule's window, the calls that are refused
too. AWS takes some seconds to notice; here the first call over the limit is refused. A rule that is
written with anything that is not played here is an error, never left out.
"""

from __future__ import annotations

import posixpath
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from infra.short_forms import read_template

EDGE: Final = Path(__file__).resolve().parent.parent / "infra/edge.yaml"

Scope = Callable[[str, str], bool]
"""Whether a rule counts a call, of this method to this path as sent."""


@dataclass
class RateRule:
    """One rule: `limit` calls of one address in `window_s` seconds, of those in its scope."""

    name: str
    limit: int
    window_s: int
    counts: Scope
    _seen: defaultdict[str, deque[float]] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = defaultdict(lambda: deque(maxlen=self.limit + 1))

    def refuses(self, address: str, now: float) -> bool:
        """Whether this call of the address is one too many. It counts it."""
        seen = self._seen[address]
        seen.append(now)
        while seen[0] <= now - self.window_s:
            seen.popleft()
        return len(seen) > self.limit


@dataclass(frozen=True)
class WebAcl:
    """The rules of a web ACL, each by itself."""

    rules: tuple[RateRule, ...]
    clock: Callable[[], float] = time.monotonic

    def refusing(self, address: str, method: str, path: str) -> str | None:
        """The name of the rule that refuses this call, None if it may go on."""
        now = self.clock()
        for rule in self.rules:
            if rule.counts(method, path) and rule.refuses(address, now):
                return rule.name
        return None


def web_acl(clock: Callable[[], float] = time.monotonic, template: Path = EDGE) -> WebAcl:
    """The web ACL as the template makes it by default."""
    described = read_template(template)
    properties = described["Resources"]["WebAcl"]["Properties"]
    ordered = sorted(properties["Rules"], key=lambda rule: rule["Priority"])
    return WebAcl(tuple(_rule(rule, described["Parameters"]) for rule in ordered), clock)


def _rule(rule: dict[str, Any], parameters: dict[str, Any]) -> RateRule:
    rate = rule["Statement"]["RateBasedStatement"]
    if rate["AggregateKeyType"] != "IP" or "Block" not in rule["Action"]:
        raise NotImplementedError(rule["Name"])
    limit = parameters[rate["Limit"]["Ref"]]["Default"]
    return RateRule(
        rule["Name"], limit, rate["EvaluationWindowSec"], _scope(rate["ScopeDownStatement"])
    )


def _scope(statement: dict[str, Any]) -> Scope:
    [(kind, fields)] = statement.items()
    match kind:
        case "AndStatement":
            each = [_scope(one) for one in fields["Statements"]]
            return lambda method, path: all(one(method, path) for one in each)
        case "OrStatement":
            any_of = [_scope(one) for one in fields["Statements"]]
            return lambda method, path: any(one(method, path) for one in any_of)
        case "NotStatement":
            inner = _scope(fields["Statement"])
            return lambda method, path: not inner(method, path)
        case "ByteMatchStatement":
            return _byte_match(fields)
    raise NotImplementedError(kind)


_TRANSFORMATIONS: Final[dict[str, Callable[[str], str]]] = {
    "NONE": lambda text: text,
    "URL_DECODE": unquote,
    # Keeps the slash at the end, takes several for one.
    "NORMALIZE_PATH": lambda path: (
        posixpath.normpath("/" + path.lstrip("/")) + ("/" if path.endswith("/") else "")
    ),
}
_POSITIONS: Final[dict[str, Callable[[str, str], bool]]] = {
    "STARTS_WITH": str.startswith,
    "EXACTLY": str.__eq__,
}


def _byte_match(fields: dict[str, Any]) -> Scope:
    [part] = fields["FieldToMatch"]
    ordered = sorted(fields["TextTransformations"], key=lambda one: one["Priority"])
    transformations = [_TRANSFORMATIONS[one["Type"]] for one in ordered]
    matches = _POSITIONS[fields["PositionalConstraint"]]

    def matched(method: str, path: str) -> bool:
        text = {"UriPath": path, "Method": method}[part]
        for transformed in transformations:
            text = transformed(text)
        return matches(text, fields["SearchString"])

    return matched
