"""What must agree: files, table, journal, statements, budget, and what the true orders earn.

Each check returns the differences it finds, as lines that name both sides. None is ever right.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from bench.year.expected import Knowledge, TrueReferral, Use, earned, people_by_digest
from bench.year.player import OUT, Year
from bench.year.programme import SPONSOR_CAP, campaign_time
from bench.year.retailer import Row, csv_rows
from chalicelib.domain.effects import deltas
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.numbered import number_at
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Budget, Reward, is_active
from chalicelib.domain.vouchers import Voucher, VoucherState, awaits_replacement
from chalicelib.services.operations.dashboard import view_dashboard
from tests.fakes.campaign import CAMPAIGN
from tests.reference.voucher_states import rebuild

Differences = Iterator[str]
SPONSOR_RULES = {"sponsor-reward", "sponsor-thanks", "sponsor-second"}


def numbered(year: Year, folder: str) -> dict[int, list[Row]]:
    """The rows of numbered files by number, also of those that have ended; they have no gaps."""
    prefix = f"{OUT}{folder}/"
    written = year.world.files.erased | year.world.files.content
    files = {
        int(path.removeprefix(prefix)[:8]): csv_rows(content)
        for path, content in written.items()
        if path.startswith(prefix) and number_at(path) is not None
    }
    assert sorted(files) == list(range(1, len(files) + 1)), f"{folder} have gaps"
    return {number: files[number] for number in sorted(files)}


def changes(year: Year) -> list[Row]:
    """All changes, in the order of their files."""
    return [row for rows in numbered(year, "changes").values() for row in rows]


def vouchers(year: Year) -> list[Voucher]:
    """Every voucher of the table."""
    return year.world.memory.all(Voucher)


# --- files and table -----------------------------------------------------------------------------


def exports(year: Year) -> Differences:
    """Every voucher in exactly one export, no code in two, with what it is worth."""
    rows = [row for rows in numbered(year, "vouchers").values() for row in rows]
    for name in ("voucher", "code"):
        for value, times in Counter(row[name] for row in rows).items():
            if times > 1:
                yield f"{name} {value} is in {times} exports"
    exported = {row["voucher"]: row for row in rows}
    for voucher in vouchers(year):
        row = exported.pop(voucher.voucher_id, None)
        if row is None:
            yield f"voucher {voucher.voucher_id} is in no export"
        elif round(float(row["value"]) * 100) != voucher.value_minor:
            yield f"voucher {voucher.voucher_id} is worth {row['value']} in its export"
    yield from (f"exported voucher {name} is not in the table" for name in exported)


def fold(year: Year) -> Differences:
    """Exports, changes and receipts of acknowledgements give every voucher's state."""
    receipts = [
        json.loads(content)
        for path, content in year.world.files.under(f"{OUT}receipts/acks/").items()
        if "@" not in path
    ]
    states = rebuild(numbered(year, "vouchers"), changes(year), receipts)
    for voucher in vouchers(year):
        # A refused code is of no use, even while its holder waits for another.
        state = VoucherState.REVOKED if awaits_replacement(voucher) else voucher.state
        if states.get(voucher.voucher_id) is not state:
            yield (
                f"voucher {voucher.voucher_id} is {state} in the table and "
                f"{states.get(voucher.voucher_id)} by the files"
            )


def redemptions(year: Year) -> Differences:
    """No voucher is used twice: in its changes, uses and rollbacks take turns, on one order."""
    used: dict[str, str] = {}
    for row in changes(year):
        match row["change"]:
            case "redeemed":
                if row["voucher"] in used:
                    yield f"voucher {row['voucher']} is redeemed on two orders"
                used[row["voucher"]] = row["order_id"]
            case "rolled_back":
                if used.pop(row["voucher"], None) != row["order_id"]:
                    yield f"voucher {row['voucher']} is rolled back on another order"
            case "expired" | "revoked" | "refused" | "replaced":
                if row["voucher"] in used:
                    yield f"voucher {row['voucher']} is {row['change']} while it is redeemed"
    for voucher in vouchers(year):
        if voucher.redeemed_by != used.get(voucher.voucher_id):
            yield f"voucher {voucher.voucher_id} is redeemed on another order in the table"


def last_days(year: Year) -> Differences:
    """A voucher ends with the last second of a local day, whatever the clocks do."""
    for voucher in vouchers(year):
        end = voucher.valid_until.astimezone(year.world.campaign.zone)
        midnight = campaign_time((end + timedelta(days=1)).replace(
            hour=0, minute=0, second=0, tzinfo=None))  # fmt: skip
        if voucher.valid_until + timedelta(seconds=1) != midnight:
            yield f"voucher {voucher.voucher_id} ends at {end}"


# --- journal and counts --------------------------------------------------------------------------


def journal(year: Year) -> Differences:
    """The journal has every fact once; its counts are those of the dashboard and the table."""
    at = datetime.fromisoformat
    facts = [Fact(**fact | {"at": at(fact["at"])}) for fact in year.world.journal()]
    if Counter(fact.fact_id for fact in facts) != Counter(
        fact.fact_id for fact in year.world.facts()
    ):
        yield "the journal has other facts than the table"
    recomputed = deltas(year.world.campaign, facts)
    if recomputed != year.world.repository.counts(CAMPAIGN):
        yield "the counts differ from those of the journal"
    shown = view_dashboard(year.world.ports, CAMPAIGN).funnel
    summed: Counter[str] = Counter()
    for day in recomputed.values():
        summed.update(day)
    for name, counted in _in_table(year).items():
        if shown.get(name, summed[name]) != counted:
            yield f"{name} is {shown.get(name, summed[name])} counted and {counted} in the table"


def _in_table(year: Year) -> dict[str, int]:
    every = vouchers(year)
    revoked = [one for one in every if one.state is VoucherState.REVOKED]
    buyers = Counter(f"buyer.{order.buyer}" for order in year.world.memory.all(Order))
    return {
        "confirmed": len(year.world.memory.all(Referral)),
        "vouchers_issued": len(every),
        "vouchers_exported": sum(one.export is not None for one in every),
        "vouchers_acknowledged": sum(one.acknowledged_at is not None for one in every),
        "vouchers_redeemed": sum(one.state is VoucherState.REDEEMED for one in every),
        "vouchers_replaced": sum(one.replaces is not None for one in every),
        "rewards_taken_back": sum(one.replaced_by is None for one in revoked),
        **buyers,
    }


# --- money ---------------------------------------------------------------------------------------


def statements(year: Year) -> Differences:
    """Each month balances by template, opens as the one before closed, and closes at what a plain
    fold of the rows up to its end leaves outstanding.
    """
    closed: dict[str, int] = {}
    exported = [row for rows in numbered(year, "vouchers").values() for row in rows]
    changed = changes(year)
    for path in sorted(year.world.files.under(f"{OUT}statements/")):
        if not path.endswith(".manifest.json"):
            continue
        manifest = json.loads(year.world.files.content[path])
        month, closing = manifest["month"], {}
        until = datetime.fromisoformat(manifest["as_of"]) + timedelta(seconds=1)
        for one in manifest["totals"]:
            name = one["template"]
            moved = one["issued"] - one["redeemed"] - one["revoked"] - one["expired"]
            if one["opening"] + moved != one["closing"]:
                yield f"{month}: {name} does not balance"
            if one["opening"] != closed.get(name, 0):
                yield f"{month}: {name} opens at {one['opening']}, not {closed.get(name, 0)}"
            closing[name] = one["closing"]
        closed = closing
        plain = _outstanding(exported, changed, until)
        if {name: value for name, value in closing.items() if value} != plain:
            yield f"{month}: closes at {closing}, the rows leave {plain}"
        due = sum(one["value_minor"] for one in manifest["outstanding_by_expiry"])
        if due != sum(closing.values()):
            yield f"{month}: {due} by month of expiry, {sum(closing.values())} in all"
        if (at_end := year.at_month_ends.get(month)) is not None and at_end != plain:
            yield f"{month}: the table had {at_end} outstanding, the rows leave {plain}"


def _outstanding(exported: list[Row], changed: list[Row], until: datetime) -> dict[str, int]:
    """Whatever is issued and neither used nor ended before `until`, by template."""
    redeemed: dict[str, bool] = defaultdict(bool)
    ended: set[str] = set()
    for row in changed:
        if datetime.fromisoformat(row["at"]) >= until:
            continue
        if row["change"] in {"redeemed", "rolled_back"}:
            redeemed[row["voucher"]] = row["change"] == "redeemed"
        else:
            ended.add(row["voucher"])
    left: Counter[str] = Counter()
    for row in exported:
        is_over = row["voucher"] in ended or redeemed[row["voucher"]]
        if datetime.fromisoformat(row["issued_at"]) < until and not is_over:
            left[row["template"]] += round(float(row["value"]) * 100)
    return dict(left)


def budget(year: Year) -> Differences:
    """What is granted of the budget and of the caps is what was not revoked."""
    every = [one for one in vouchers(year) if one.state is not VoucherState.REVOKED]
    spent = sum(one.value_minor for one in every)
    stored = year.world.repository.get(Budget, campaign=CAMPAIGN)
    if (stored.spent_minor if stored else 0) != spent:
        yield f"the budget says {stored.spent_minor if stored else 0}, the vouchers {spent}"
    if spent > year.programme.budget * 100:
        yield f"{spent} is granted of a budget of {year.programme.budget}.00"
    held = Counter(one.holder_id for one in every if one.holder == "sponsor")
    for sponsor in year.world.memory.all(Sponsor):
        if sponsor.rewards != held[sponsor.sponsor_id]:
            yield (
                f"sponsor {sponsor.sponsor_id} has {sponsor.rewards} rewards counted and "
                f"{held[sponsor.sponsor_id]} vouchers"
            )
        if held[sponsor.sponsor_id] > SPONSOR_CAP:
            yield f"sponsor {sponsor.sponsor_id} has {held[sponsor.sponsor_id]} rewards"


# --- rewards -------------------------------------------------------------------------------------


def knowledge(year: Year) -> Knowledge:
    """What the retailer and the people know by now."""
    referrals = {
        one.referral_id: TrueReferral(
            sponsor=year.sponsor_of[one.referral_id],
            referee=year.addresses[one.referral_id],
            confirmed_at=year.confirmed_at[one.referral_id],
        )
        for one in year.world.memory.all(Referral)
    }
    buyers = {one.buyer for day in year.cast.purchases.values() for one in day}
    return Knowledge(
        rows=year.office.delivered,
        referrals=referrals,
        keeper=year.keeper,
        exported={row["code"]: row for rows in numbered(year, "vouchers").values() for row in rows},
        uses=_uses(changes(year)),
        now=year.world.clock(),
        people=people_by_digest(buyers),
    )


def _uses(rows: list[Row]) -> list[Use]:
    """Which code was accepted on which order, and whether it still is."""
    found: dict[tuple[str, str], Use] = {}
    for row in rows:
        key = row["code"], row["order_id"]
        if row["change"] == "redeemed":
            at = datetime.fromisoformat(row["at"])
            found[key] = Use(row["code"], row["order_id"], at, is_over=False)
        elif row["change"] == "rolled_back":
            before = found[key]
            found[key] = Use(before.code, before.order_id, before.at, is_over=True)
    return list(found.values())


def active(year: Year) -> Counter[tuple[str, str]]:
    """How many rewards there are of each (referral, rule), as the table has them."""
    rewards = (one for one in year.world.memory.all(Reward) if is_active(one))
    return Counter((one.referral_id, one.rule) for one in rewards)


def rewards(year: Year) -> Differences:
    """Per referral and rule there are as many rewards as the present orders earn, within limits."""
    due, granted = earned(knowledge(year)), active(year)
    for key in sorted({*due, *granted}):
        referral, rule = key
        limited = granted[key] < due[key] and _is_limited(year, referral, rule)
        if due[key] != granted[key] and not limited:
            who = year.addresses[referral]
            yield f"{who} ({referral[-6:]}) has {granted[key]} of {rule}, and earned {due[key]}"


def _is_limited(year: Year, referral_id: str, rule: str) -> bool:
    """Whether a cap is reached, or the budget was too small for one more."""
    if rule in SPONSOR_RULES:
        if year.has_reached_a_cap(referral_id):
            return True
    elif year.programme.referee_cap:
        held = year.world.repository.held_by(referral_id)
        if sum(one.state is not VoucherState.REVOKED for one in held) >= year.programme.referee_cap:
            return True
    decided = year.world.repository.within(Reward, referral_id=referral_id)
    return any(one.rule == rule and one.refused_reason == "budget_spent" for one in decided)


def reward_vouchers(year: Year) -> Differences:
    """Every reward that counts has a voucher that was not revoked, and the other way round."""
    by_code = {one.code_key: one for one in vouchers(year)}
    rewarded = set()
    for reward in year.world.memory.all(Reward):
        voucher = by_code.get(reward.code_key or "")
        if voucher and (is_active(reward) or reward.is_used):
            rewarded.add(voucher.code_key)
            if voucher.state is VoucherState.REVOKED:
                yield f"reward {reward.rule} of {reward.referral_id[-6:]} has a revoked voucher"
    for voucher in vouchers(year):
        if voucher.state is not VoucherState.REVOKED and voucher.code_key not in rewarded:
            yield f"voucher {voucher.voucher_id} ({voucher.rule}) belongs to no reward"


def own_purchases(year: Year) -> Differences:
    """No sponsor is paid for an order of his own."""
    orders = {one.order_id: one for day in year.cast.purchases.values() for one in day}
    shown = {(one.row["order_id"]) for one in year.office.delivered if one.row["email_digest"]}
    for reward in year.world.memory.all(Reward):
        order = orders.get(reward.order_id or "")
        if not is_active(reward) or reward.to != "sponsor" or order is None:
            continue
        if order.order_id in shown and order.buyer == year.sponsor_of[reward.referral_id]:
            yield f"{order.buyer} is paid for {order.order_id}, an order of his own"


CHECKS: dict[str, Callable[[Year], Differences]] = {
    "exports": exports,
    "fold of the files": fold,
    "redemptions": redemptions,
    "last days": last_days,
    "journal": journal,
    "statements": statements,
    "budget and caps": budget,
    "rewards": rewards,
    "rewards and vouchers": reward_vouchers,
    "own purchases": own_purchases,
}
