"""`python -m bench.abuse`: what strangers can do to the public routes, and what it costs.

Prints one Markdown table, writes build/bench/abuse.json, and exits with 1 when a bound is broken.
The bounds, and what is measured: `neutrality`, `floods`, `inputs`. `--share 0.1` does a tenth.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console

import app
from bench import report
from bench.abuse.floods import POSTS, Flood, flood
from bench.abuse.inputs import INPUTS, Inputs, fuzz
from bench.abuse.neutrality import SAMPLES, Neutrality, measure
from bench.calls import Cost, cost_of
from chalicelib.api.operations import OPERATIONS
from tests.api.gateway import Gateway

COLUMNS = ("what", "figure", "bound", "holds")
MOST_CALLS = 12  # to AWS, for an unauthenticated request


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    figure: str
    bound: str
    holds: bool

    @property
    def cells(self) -> Sequence[str]:
        """As printed."""
        return self.what, self.figure, self.bound, "yes" if self.holds else "**no**"


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.abuse", description=__doc__)
    parser.add_argument("--share", type=float, default=1, help="of the samples, posts and inputs")
    share = parser.parse_args().share
    console = Console(stderr=True)
    with console.status("timing the answers"):
        *honest, curious = measure(max(1, round(SAMPLES * share)))
    with console.status("flooding"):
        flooded = flood(round(POSTS * share))
    with console.status("odd inputs"):
        fuzzed = fuzz(round(INPUTS * share))
    with console.status("costs"):
        gateway = Gateway(app.app)
        spent = [cost_of(gateway, one) for one in OPERATIONS if one.security == "public"]
    rows = [
        *(_neutral(one) for one in honest),
        _control(curious),
        *_flooded(flooded),
        *_fuzzed(fuzzed),
        *(_cost(one) for one in spent),
    ]
    figures = {
        "neutrality": [asdict(one) for one in (*honest, curious)],
        "flood": _as_json(flooded),
        "inputs": {"addresses": fuzzed.addresses, "names": fuzzed.names, "wrong": fuzzed.wrong},
        "costs": [asdict(one) for one in spent],
    }
    table = report.table(COLUMNS, [row.cells for row in rows])
    file = report.publish("abuse", report.conditions(share=f"{share:g}"), table, figures)
    console.print(f"figures: {file.relative_to(report.ROOT)}")
    return 0 if all(row.holds for row in rows) else 1


def _neutral(one: Neutrality) -> Row:
    kind, auc = one.worst
    return Row(
        f"{one.route}: {one.samples:,} calls about each of {len(one.auc)} kinds of people",
        f"{one.answers} answer, {one.traces} sequence of calls to AWS; AUC of time at worst"
        f" {auc:.3f} ({kind})",
        f"1, 1, within {one.limit:.2g} of 0.5",
        one.holds,
    )


def _control(one: Neutrality) -> Row:
    kind, auc = one.worst
    return Row(
        f"control: a {one.route}",
        f"{one.traces} sequences; AUC at worst {auc:.3f} ({kind})",
        "is seen by both",
        one.traces > 1 and abs(auc - 0.5) > one.limit,
    )


def _flooded(found: Flood) -> Iterator[Row]:
    broken, most = list(found.broken), max(found.by_vip.values(), default=0)
    yield Row(
        f"{found.answers.total():,} hostile posts in {found.days} days, no mail opened",
        f"{found.by_day.total()} mails to {len(found.by_mailbox)} third parties, at most"
        f" {max(found.by_day.values(), default=0)} a day by the link;"
        f" {found.by_vip.total()} to two VIPs, at most {most} a day",
        f"{found.a_day} a day by a link, 1 a mailbox, 5 and then 1 a day to a VIP",
        not broken,
    )
    yield Row(
        "mails with a stranger's words, to customers, or to who has objected",
        "; ".join(broken) or "0",
        "0",
        not broken,
    )


def _fuzzed(found: Inputs) -> Iterator[Row]:
    for what, counts in (("addresses", found.addresses), ("names", found.names)):
        yield Row(
            f"{counts.total():,} odd {what}",
            f"{counts['accepted']:,} accepted, {len(counts) - 1} reasons to refuse the others;"
            f" {len(found.wrong)} wrong of both",
            "0 wrong",
            not found.wrong,
        )
    yield Row(
        f"{found.answers.total():,} of them through the API",
        ", ".join(
            f"{count:,} answered {status}" for status, count in sorted(found.answers.items())
        ),
        "no failure",
        all(status < 500 for status in found.answers),
    )


def _cost(one: Cost) -> Row:
    return Row(
        f"one `{one.name}`",
        f"{len(one.calls)} calls to AWS ({one.summary or 'none'}), {one.read_units:g} read and"
        f" {one.write_units:g} write units",
        f"{MOST_CALLS} calls",
        len(one.calls) <= MOST_CALLS,
    )


def _as_json(found: Flood) -> dict[str, object]:
    return {
        "answers": {str(status): count for status, count in found.answers.items()},
        "by_day": {day.isoformat(): count for day, count in found.by_day.items()},
        "mailboxes": len(found.by_mailbox),
        "by_vip_and_day": {f"{vip}, {day}": count for (vip, day), count in found.by_vip.items()},
        "broken": list(found.broken),
    }


if __name__ == "__main__":
    sys.exit(main())
