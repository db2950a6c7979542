"""`python -m bench.abuse [NAME]`: what strangers and cheats can do, and what it costs.

Prints one Markdown table, writes build/bench/abuse.json, and exits with 1 when a bound is broken.
What is measured, and the bounds, are in the modules that the parts are named after. `--share 0.1`
does a tenth of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from rich.console import Console

import app
from bench import report
from bench.abuse import score
from bench.abuse.figures import Part, Row
from bench.abuse.floods import ASKED_FOR, POSTS, VIPS, Flood, flood
from bench.abuse.inputs import INPUTS, Inputs, fuzz
from bench.abuse.neutrality import SAMPLES, Neutrality, measure
from bench.calls import Cost, cost_of
from chalicelib.api.operations import OPERATIONS
from chalicelib.domain.mails import PRIVACY_LINK, SIGN_IN
from tests.api.gateway import Gateway

COLUMNS = ("what", "figure", "bound", "holds")
MOST_CALLS = 12  # to AWS, for an unauthenticated request
STRANGERS = "x" * 43  # a token like those that we make


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.abuse", description=__doc__)
    parser.add_argument("name", nargs="?", choices=PARTS, help="one part; all without")
    parser.add_argument("--share", type=float, default=1, help="of the samples, posts and inputs")
    asked = parser.parse_args()
    console = Console(stderr=True)
    parts: dict[str, Part] = {}
    for name in [asked.name] if asked.name else PARTS:
        with console.status(name):
            parts[name] = PARTS[name](asked.share)
    rows = [row for part in parts.values() for row in part.rows]
    table = report.table(COLUMNS, [row.cells for row in rows])
    figures = {name: part.figures for name, part in parts.items()}
    file = report.publish("abuse", report.conditions(share=f"{asked.share:g}"), table, figures)
    console.print(f"figures: {file.relative_to(report.ROOT)}")
    return 0 if all(row.holds for row in rows) else 1


def _neutrality(share: float) -> Part:
    *honest, curious = measure(max(1, round(SAMPLES * share)))
    rows = [*(_neutral(one) for one in honest), _control(curious)]
    return Part(rows, [asdict(one) for one in (*honest, curious)])


def _floods(share: float) -> Part:
    found = flood(round(POSTS * share))
    return Part(list(_flooded(found)), _as_json(found))


def _inputs(share: float) -> Part:
    found = fuzz(round(INPUTS * share))
    figures = {"addresses": found.addresses, "names": found.names, "wrong": found.wrong}
    return Part(list(_fuzzed(found)), figures)


def _costs(_: float) -> Part:
    spent = costs_of_strangers()
    return Part([_cost(one) for one in spent], [asdict(one) for one in spent])


def costs_of_strangers() -> list[Cost]:
    """What each route costs that answers without AWS's or the pool's signature: those that are
    public, and those that ask for a session or a wall link, called with one that nobody was given.
    """
    gateway = Gateway(app.app)
    bearers = {"public": None, "session": STRANGERS, "wall": STRANGERS}
    return [
        cost_of(gateway, one, bearers[one.security])
        for one in OPERATIONS
        if one.security in bearers
    ]


PARTS: Mapping[str, Callable[[float], Part]] = {
    "neutrality": _neutrality,
    "floods": _floods,
    "inputs": _inputs,
    "costs": _costs,
    "score": lambda _: score.part(),
}


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
    broken = list(found.broken)
    links = {kind: sum(n for (of, *_), n in found.asked_for.items() if of == kind)
             for kind in ASKED_FOR}  # fmt: skip
    yield Row(
        f"{found.answers.total():,} hostile posts in {found.days} days, no mail opened",
        f"{found.by_day.total()} mails to {len(found.by_mailbox)} third parties, at most"
        f" {max(found.by_day.values(), default=0)} a day by the link; to {len(VIPS)} VIPs"
        f" {links[SIGN_IN]} links to sign in; {links[PRIVACY_LINK]} links to somebody's data",
        f"{found.a_day} a day by a link and 1 a mailbox; links to sign in 5, then 1 a day; links to"
        " data 3, then 1 a day",
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
        "links_by_kind_and_day": {
            f"{kind}, day {day}": sum(
                n for (of, _, on), n in found.asked_for.items() if (of, on) == (kind, day)
            )
            for kind, _, day in found.asked_for
        },
        "broken": list(found.broken),
    }


if __name__ == "__main__":
    sys.exit(main())
