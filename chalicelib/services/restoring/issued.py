"""What an issue did: the voucher, and that its reward is granted (law 4).

A voucher that the client knows gets its code back from the row of its export; one that is in no
export gets another code under its own id. What became of the reward is in `rewards.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain import rewards, vouchers
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.campaign.templates import VoucherTemplate
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.codes import candidates, canonical
from chalicelib.domain.fact_bodies import VoucherIssued
from chalicelib.domain.facts import Fact
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward, is_released, waits
from chalicelib.domain.statements import minor
from chalicelib.domain.vouchers import (
    UNSHARDED,
    SpareCode,
    Voucher,
    VoucherState,
    awaits_replacement,
    far_zone,
    moved_reminder,
    new_voucher,
    reminds_at,
    replacement_of,
    spare_code,
    valid_until,
)
from chalicelib.services.chosen_codes import ChosenCode, code_for
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.ports import Change, Insert, Remove, Replace
from chalicelib.services.restoring.outside import Row
from chalicelib.services.restoring.rewards import (
    count_changes,
    decided,
    require_free,
    reward_of,
    rule_of,
    written,
)
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
    voucher, beside = _voucher(work, fact, body, referral, sponsor, None)
    reward = _granted(work, fact, body, stored, voucher)
    if released:
        reward = replace(reward, hold=released.hold, in_budget=released.in_budget)
    counted = count_changes(work, body, reward, referral, sponsor, reserved=released is not None)
    work.keys[voucher.voucher_id] = voucher.code_key
    return [Insert(voucher), written(reward), *counted, *beside]


def _is_there(work: Work, stored: Reward, body: VoucherIssued) -> bool:
    """Whether the voucher is there without its fact: of a transaction that was committed just then,
    a restored table may have some items and lack others.
    """
    if stored.code_key is None:
        return False
    voucher = work.ports.repository.get(Voucher, code_key=stored.code_key)
    return voucher is not None and voucher.voucher_id == body.voucher_id


def _sponsor(work: Work, body: VoucherIssued, referral: Referral | None) -> Sponsor | None:
    by_holder = body.holder_id if body.holder is HolderRole.SPONSOR else None
    sponsor_id = referral.sponsor_id if referral else by_holder
    return work.ports.repository.get(Sponsor, sponsor_id=sponsor_id) if sponsor_id else None


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
        own = reminds_at(campaign, fact.at, ends)
        reminder = moved_reminder(before, ends, fact.at) if before else own
        made = replace(made, reminds_at=reminder, far_zone=far_zone(campaign, ends))
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
        campaign, rule_of(work, fact, body), referral, sponsor, rung=body.rung,
        voucher_id=body.voucher_id, code_key=chosen.key, code=chosen.code, now=fact.at,
    )  # fmt: skip
    return made, chosen.changes


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


# --- replaced -------------------------------------------------------------------------------------


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
