"""What an issue did: the voucher, its reward, and what counts it (law 4).

A voucher that the client has got back its code from the row of its export; one that is in no export
gets another code under its own id. Either way its reward stands at the same place, so that the same
orders, reported again, grant nothing twice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain import rewards, vouchers
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.rules import HolderRole, Rule, Trigger
from chalicelib.domain.campaign.templates import VoucherTemplate
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.codes import candidates, canonical
from chalicelib.domain.earned import earned_on_orders, earned_on_redemption
from chalicelib.domain.fact_bodies import (
    RewardHeld,
    RewardHoldEnded,
    RewardRefused,
    RewardReleased,
    RewardRevoked,
    VoucherIssued,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.referrals import (
    Referral,
    found_on_later_list,
    with_newcomer_check,
    with_rewards,
)
from chalicelib.domain.rewards import (
    Budget,
    Reward,
    RewardRefusal,
    counts_in_limits,
    is_released,
    waits,
)
from chalicelib.domain.statements import minor
from chalicelib.domain.vouchers import (
    UNSHARDED,
    SpareCode,
    Voucher,
    VoucherState,
    awaits_replacement,
    new_voucher,
    replacement_of,
    spare_code,
    valid_until,
)
from chalicelib.services.chosen_codes import ChosenCode, code_for
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.ports import Change, Insert, Remove, Replace
from chalicelib.services.referral_orders import orders_of
from chalicelib.services.restoring.outside import Row
from chalicelib.services.restoring.work import LOST, UnfoundedError, Work


def issued_changes(work: Work, fact: Fact, body: VoucherIssued) -> list[Change]:
    """The voucher and its reward; of one that replaces another, also the end of that.

    `UnfoundedError`.
    """
    stored = reward_of(work, body)
    if stored and _is_there(work, stored, body):
        return []
    if body.replaces_id:
        return _replaced(work, fact, body, body.replaces_id, stored)
    released = stored if stored and waits(stored) and is_released(stored) else None
    if released is None:
        require_free(stored)
    referral = work.ports.repository.get(Referral, referral_id=body.referral_id)
    if referral is None and not work.is_lenient:
        raise UnfoundedError(body.referral_id)  # it counts the reward, if it is not lost
    sponsor = _sponsor(work, body, referral)
    if referral is None and not work.is_lenient:
        raise UnfoundedError(body.referral_id)
    voucher, beside = _voucher(work, fact, body, referral, sponsor, None)
    reward = _granted(work, fact, body, stored, voucher)
    if released:
        reward = replace(reward, hold=released.hold, in_budget=released.in_budget)
    counted = _counted(work, body, reward, referral, sponsor, reserved=released is not None)
    work.keys[voucher.voucher_id] = voucher.code_key
    return [Insert(voucher), written(reward), *counted, *beside]


AboutReward = (
    VoucherIssued | RewardRefused | RewardRevoked | RewardHeld | RewardReleased | RewardHoldEnded
)


def reward_of(work: Work, body: AboutReward) -> Reward | None:
    """The reward that a fact is about, as it is stored."""
    return work.ports.repository.get(
        Reward, referral_id=body.referral_id, rule=body.rule, rung=body.rung
    )


def _is_there(work: Work, stored: Reward, body: VoucherIssued) -> bool:
    """Whether the voucher is there without its fact: of a transaction that was committed just then,
    a restored table may have some items and lack others.
    """
    if stored.code_key is None:
        return False
    voucher = work.ports.repository.get(Voucher, code_key=stored.code_key)
    return voucher is not None and voucher.voucher_id == body.voucher_id


def require_free(stored: Reward | None) -> None:
    """`UnfoundedError` while another voucher of the reward counts: an earlier fact ends that."""
    if stored and counts_in_limits(stored):
        raise UnfoundedError(stored.rule)


def _sponsor(work: Work, body: VoucherIssued, referral: Referral | None) -> Sponsor | None:
    by_holder = body.holder_id if body.holder is HolderRole.SPONSOR else None
    sponsor_id = referral.sponsor_id if referral else by_holder
    return work.ports.repository.get(Sponsor, sponsor_id=sponsor_id) if sponsor_id else None


def written(reward: Reward) -> Change:
    return Replace(reward) if reward.revision else Insert(reward)


# --- the voucher ----------------------------------------------------------------------------------


def _voucher(
    work: Work,
    fact: Fact,
    body: VoucherIssued,
    referral: Referral | None,
    sponsor: Sponsor | None,
    before: Voucher | None,
) -> tuple[Voucher, list[Change]]:
    """The voucher, and the spare code that it used, if any."""
    campaign = work.versions.of(body.campaign_version, fact.at)
    template = campaign.templates[body.template]
    if row := work.outside.rows.get(body.voucher_id):
        ends = valid_until(campaign, fact.at, template.valid_days)
        made = _from_row(fact, body, row, template, ends, referral, sponsor)
        return made, _used(work, body.template, made.code)
    chosen = _another_code(work, body.template, template)
    if before:
        ends = valid_until(work.campaign, fact.at, template.valid_days)
        made = replacement_of(
            before,
            voucher_id=body.voucher_id,
            code_key=chosen.key,
            code=chosen.code,
            ends=ends,
            now=fact.at,
        )
        return made, chosen.changes
    if referral is None or sponsor is None:
        raise UnfoundedError(body.referral_id)
    made = new_voucher(
        campaign, _rule(work, fact, body), referral, sponsor, rung=body.rung,
        voucher_id=body.voucher_id, code_key=chosen.key, code=chosen.code, now=fact.at,
    )  # fmt: skip
    return made, chosen.changes


def _rule(work: Work, fact: Fact, body: VoucherIssued | RewardRefused | RewardHeld) -> Rule:
    version = None if isinstance(body, RewardRefused) else body.campaign_version
    campaign = work.versions.of(version, fact.at)
    rule = next((rule for rule in campaign.rules if rule.id == body.rule), None)
    if rule is None:
        raise UnfoundedError(body.rule)
    return rule


def _from_row(
    fact: Fact,
    body: VoucherIssued,
    row: Row,
    template: VoucherTemplate,
    ends: datetime,
    referral: Referral | None,
    sponsor: Sponsor | None,
) -> Voucher:
    """The voucher as the client has it; what became of it since is in other facts."""
    digests: AddressDigests | None = None
    contact_id = f"{LOST}{body.holder_id}"
    match sponsor if body.holder is HolderRole.SPONSOR else referral:
        case Sponsor() as person:
            contact_id, digests = person.contact_id, person.digests
        case Referral() as person:
            contact_id, digests = person.contact_id, person.referee
    minted = template.codes == "minted"
    return Voucher(
        code_key=candidates(row["code"])[0] if minted else canonical(row["code"]),
        voucher_id=body.voucher_id,
        code=row["code"],
        campaign=fact.campaign,
        campaign_version=body.campaign_version,
        template=body.template,
        holder=body.holder,
        holder_id=body.holder_id,
        holder_digest=row["holder_digest"],
        holder_key_id=row.get("key_id") or None,
        contact_id=contact_id,
        referral_id=body.referral_id,
        rule=body.rule,
        rung=body.rung,
        value_minor=minor(row["value"]),
        currency=row["currency"],
        minimum_basket_minor=minor(row["minimum_basket"]),
        valid_from=datetime.fromisoformat(row["valid_from"]),
        # One that ended before its export has that end in its row.
        valid_until=max(ends, datetime.fromisoformat(row["valid_until"])),
        issued_at=datetime.fromisoformat(row["issued_at"]),
        state=VoucherState.ISSUED,
        release=body.release,
        correlation=fact.correlation,
        holder_bound=template.holder_bound,
        holder_digests=digests.known_to_client if digests and template.holder_bound else (),
        not_with=template.not_with,
        replaces=body.replaces_id,
    )


def _used(work: Work, template: str, code: str) -> list[Change]:
    """A code of the client's own is not spare any more."""
    campaign, spare = work.campaign.id, spare_code(work.campaign.id, template, code)
    keys = [
        {"campaign": campaign, "template": template, "code_key": spare.code_key, "shard": shard}
        for shard in (spare.shard, UNSHARDED)
    ]
    return [Remove(one) for one in work.ports.repository.get_many(SpareCode, keys)]


def _another_code(work: Work, name: str, template: VoucherTemplate) -> ChosenCode:
    """A code for a voucher whose own nobody knows any more. `UnfoundedError` when the client's are
    used up.
    """
    try:
        chosen = code_for(work.ports, work.campaign.id, name, template)
    except RetryLaterError as error:
        raise UnfoundedError(name) from error
    # Those of the rows are used, even if their facts come later.
    if chosen.spent and chosen.spent.code_key in work.codes_in_files:
        raise UnfoundedError(name)
    return chosen


# --- the reward -----------------------------------------------------------------------------------


def _granted(
    work: Work, fact: Fact, body: VoucherIssued, stored: Reward | None, voucher: Voucher
) -> Reward:
    reward = decided(work, fact, body, stored, body.holder)
    reward = replace(reward, in_budget=work.campaign.caps.budget_minor is not None)
    return rewards.granted(reward, voucher.code_key, voucher.value_minor, fact.at)


def decided(
    work: Work,
    fact: Fact,
    body: VoucherIssued | RewardRefused | RewardHeld,
    stored: Reward | None,
    to: HolderRole,
) -> Reward:
    """What was decided on, granted or not."""
    order_id, redeemed = _earned_by(work, fact, body, stored)
    return Reward(
        revision=stored.revision if stored else 0,
        referral_id=body.referral_id,
        rule=body.rule,
        rung=body.rung,
        campaign=fact.campaign,
        order_id=order_id,
        customers_version=body.customers_version,
        to=to,
        voucher_id=redeemed,
    )


def _earned_by(
    work: Work, fact: Fact, body: VoucherIssued | RewardRefused | RewardHeld, stored: Reward | None
) -> tuple[str | None, str | None]:
    """The order that a reward is for, and the id of the voucher whose use earned it, if any.

    `UnfoundedError` while what earned it is not there.
    """
    rule = _rule(work, fact, body)
    referral = work.ports.repository.get(Referral, referral_id=body.referral_id)
    match rule.when, referral:
        case (Trigger.REFERRAL_CONFIRMED, _) | (_, None):
            return None, None
        case Trigger.VOUCHER_REDEEMED, Referral() as known:
            return None, (stored and stored.voucher_id) or _redeemed(work, known, rule)
        case _, Referral() as known:
            return _ordered(work, known, rule, body.rung), None


def _ordered(work: Work, referral: Referral, rule: Rule, rung: int) -> str | None:
    """The order that earns a rung by the orders so far. Once facts have no sequence, it may have
    been returned already, which another fact revokes the reward for: then there is none.
    """
    earned = earned_on_orders(referral, orders_of(work.ports, referral), work.versions.of)
    found = (each.order for each in earned if (each.rule.id, each.rung) == (rule.id, rung))
    order = next(filter(None, found), None)
    if order:
        return order.order_id
    if work.is_lenient:
        return None
    raise UnfoundedError(rule.id)


def _redeemed(work: Work, referral: Referral, rule: Rule) -> str:
    """The first voucher used in the referral that earns what the rule grants, and has not yet."""
    repository = work.ports.repository
    decided = {
        one.voucher_id
        for one in repository.within(Reward, referral_id=referral.referral_id)
        if one.rule == rule.id
    }
    holders = (referral.referral_id, referral.sponsor_id)
    held = [voucher for holder in holders for voucher in repository.held_by(holder)]
    for voucher in sorted(held, key=lambda one: one.issued_at):
        if voucher.referral_id != referral.referral_id or voucher.voucher_id in decided:
            continue
        order_id = voucher.redeemed_by or work.used_on.get(voucher.voucher_id, "")
        redemption = repository.get(Redemption, code_key=voucher.code_key, order_id=order_id)
        if redemption is None:
            continue
        is_used = voucher.redeemed_by is not None or work.is_lenient
        if is_used and _earns(work, referral, voucher, redemption, rule):
            return voucher.voucher_id
    raise UnfoundedError(rule.id)


def _earns(
    work: Work, referral: Referral, voucher: Voucher, redemption: Redemption, rule: Rule
) -> bool:
    if redemption.is_rebuilt:
        return True
    campaign = work.versions.at(redemption.redeemed_at)
    earned = earned_on_redemption(referral, campaign, voucher, redemption)
    return rule.id in {each.rule.id for each in earned}


def _counted(
    work: Work,
    body: VoucherIssued,
    reward: Reward,
    referral: Referral | None,
    sponsor: Sponsor | None,
    *,
    reserved: bool,
) -> list[Change]:
    """What counts the reward: its referral, its sponsor's cap, the budget. `reserved`: it was held,
    so it is counted already, but for the referral.
    """
    changes: list[Change] = []
    if referral:
        counted = with_rewards(referral, 1)
        if body.has_order:  # a rung is granted to a newcomer alone
            counted = _checked(work, counted, body.customers_version, newcomer=True)
        changes.append(Replace(counted))
    if sponsor and body.holder is HolderRole.SPONSOR and not reserved:
        changes.append(Replace(replace(sponsor, rewards=sponsor.rewards + 1)))
    if reward.in_budget and not reserved:
        changes.append(spent(work, body.value_minor))
    return changes


def _checked(
    work: Work, referral: Referral, list_version: int | None, *, newcomer: bool
) -> Referral:
    """The referral with the list's answer that a decision rests on (law 3): lists that are dropped
    again are newer than they were. The last decision has it as of the first order of all.
    """
    orders = orders_of(work.ports, referral)
    first = min((order.ordered_at for order in orders), default=None)
    if first is None:
        return referral
    return with_newcomer_check(
        referral, newcomer=newcomer, list_version=list_version or 0, first_ordered_at=first
    )


def spent(work: Work, value_minor: int) -> Change:
    """What is granted of the budget changes by `value_minor`."""
    campaign = work.campaign.id
    budget = work.ports.repository.get(Budget, campaign=campaign)
    if budget is None:
        return Insert(Budget(campaign=campaign, spent_minor=value_minor))
    return Replace(replace(budget, spent_minor=budget.spent_minor + value_minor))


# --- refused, replaced ----------------------------------------------------------------------------


def refused_changes(work: Work, fact: Fact, body: RewardRefused) -> list[Change]:
    """A rule granted nothing: the decision, and what it says of the referee. `UnfoundedError`."""
    stored = reward_of(work, body)
    require_free(stored)
    referral = work.ports.repository.get(Referral, referral_id=body.referral_id)
    if referral is None:
        raise UnfoundedError(body.referral_id)
    reward = decided(work, fact, body, stored, _rule(work, fact, body).to)
    reason = RewardRefusal(body.reason)
    noted = found_on_later_list(referral) if body.found_on_later_list else referral
    if reason is RewardRefusal.NOT_A_NEWCOMER:
        noted = _checked(work, noted, body.customers_version, newcomer=False)
    return [written(rewards.refused(reward, reason)), Replace(noted)]


def _replaced(
    work: Work, fact: Fact, body: VoucherIssued, replaces: str, stored: Reward | None
) -> list[Change]:
    """The voucher in the place of a refused one, which is revoked with that."""
    before = work.voucher(replaces, body.holder_id)
    if stored is None or not awaits_replacement(before):
        raise UnfoundedError(body.voucher_id)
    referral = work.ports.repository.get(Referral, referral_id=body.referral_id)
    sponsor = _sponsor(work, body, referral)
    voucher, beside = _voucher(work, fact, body, referral, sponsor, before)
    ended, change = with_change(
        vouchers.replaced(before, body.voucher_id, fact.at), ChangeKind.REPLACED, fact.at
    )
    moved = rewards.granted(
        stored, voucher.code_key, voucher.value_minor, stored.granted_at or fact.at
    )
    work.keys[voucher.voucher_id] = voucher.code_key
    return [Replace(ended), Insert(change), Insert(voucher), Replace(moved), *beside]


def order_of(work: Work, order_id: str) -> Order | None:
    """An order of the campaign, as it is stored."""
    return work.ports.repository.get(Order, campaign=work.campaign.id, order_id=order_id)
