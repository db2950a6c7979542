"""The laws, checked on everything that is stored, mailed and written when all work is done.

Each check reads items, mails and files as AWS would show them, not through what it checks.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from typing import TypeVar

from chalicelib.adapters.dynamodb.codec import entity_of, fact_of
from chalicelib.adapters.dynamodb.schema import FACT_KIND, ITEM_KINDS
from chalicelib.domain.campaign.versions import CampaignVersion
from chalicelib.domain.effects import deltas, funnel, totals
from chalicelib.domain.eligibility import Reason
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.files.ends import has_export_ended
from chalicelib.domain.invitations import (
    MASKED_WHOLLY,
    ClosingReason,
    Invitation,
    InvitationState,
)
from chalicelib.domain.journal import GENESIS, JournalHead, verify
from chalicelib.domain.lists.model import ListVersion
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.people import Contact, Opposition, RefereeClaim
from chalicelib.domain.redemptions import Redemption, RedemptionRefusal
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher, VoucherState
from tests.api.world import CAMPAIGN
from tests.fakes.pgp import opened
from tests.simulation.cloud import CLOCKS, Cloud

E = TypeVar("E", bound=Entity)
HEADER, RECORD = 64, 16  # bytes of a list's file
WITHOUT_ADDRESS = {
    InvitationState.REFUSED,
    InvitationState.DECLINED,
    InvitationState.BOUNCED,
    InvitationState.EXPIRED,
}


def violations(cloud: Cloud) -> list[str]:
    """What breaks a law, in words. Everything that can be done must have been done."""
    return [text for check in CHECKS for text in check(cloud)]


def _forgotten(cloud: Cloud) -> set[str]:
    """The invitations whose claims went with who was forgotten, the referee or the sponsor."""
    closed = {
        fact.ids["invitation"]
        for fact in facts_in(cloud)
        if fact.name == FactName.INVITATION_EXPIRED
        and fact.details.get("reason") == ClosingReason.ERASED
    }
    hers = {one.invitation_id for one in all_of(cloud, Invitation) if one.masked == MASKED_WHOLLY}
    return closed | hers


def _one_sponsor(cloud: Cloud) -> Iterator[str]:
    """Law 1."""
    sponsors: dict[str, list[str]] = {}
    claimed = {claim.digest: claim.invitation_id for claim in all_of(cloud, RefereeClaim)}
    for referral in all_of(cloud, Referral):
        if referral.is_erased:
            continue  # its claim went with what it was found by
        sponsors.setdefault(referral.referee_digest, []).append(referral.sponsor_id)
        if claimed.get(referral.referee_digest) != referral.invitation_id:
            yield f"law 1: a referral without the claim on its referee: {referral.referral_id}"
    yield from (
        f"law 1: {len(of)} sponsors of one referee" for of in sponsors.values() if len(of) > 1
    )


def _one_invitation_mail(cloud: Cloud) -> Iterator[str]:
    """Law 2."""
    sent = Counter(
        recipient
        for recipient, raw in cloud.network.mails
        if "<invitation-" in str(message_from_bytes(raw)["Message-ID"])
    )
    yield from (
        f"law 2: {count} invitation mails to one person" for count in sent.values() if count > 1
    )


def _one_reward(cloud: Cloud) -> Iterator[str]:
    """Law 4: never twice, never lost."""
    vouchers = {voucher.voucher_id: voucher for voucher in all_of(cloud, Voucher)}
    places = Counter(
        (one.referral_id, one.rule, one.rung) for one in vouchers.values() if one.replaces is None
    )
    yield from (
        f"law 4: {count} vouchers for {place}" for place, count in places.items() if count > 1
    )
    granted = {(one.referral_id, one.rule, one.rung) for one in all_of(cloud, Reward)}
    yield from (
        f"law 4: a voucher without a reward: {place}" for place in places if place not in granted
    )
    for referral in all_of(cloud, Referral):
        if (referral.referral_id, "welcome", 0) not in granted:
            yield f"law 4: no welcome reward for {referral.referral_id}"


def _one_export(cloud: Cloud) -> Iterator[str]:
    """Law 5: each voucher in one file, and in the export that it names."""
    found: dict[str, list[int]] = {}
    for path, content in files(cloud, f"out/{CAMPAIGN}/vouchers/"):
        if path.endswith((".csv.gz", ".csv.gz.pgp")):
            packed = opened(content) if path.endswith(".pgp") else content
            for row in csv.DictReader(io.StringIO(gzip.decompress(packed).decode())):
                number = int(path.rpartition("/")[2].partition(".")[0])
                found.setdefault(row["voucher"], []).append(number)
    ended = {one.number for one in all_of(cloud, Export) if has_export_ended(one, cloud.now)}
    for voucher in all_of(cloud, Voucher):
        in_files = found.pop(voucher.voucher_id, [])
        if in_files != [voucher.export] and (in_files or voucher.export not in ended):
            yield f"law 5: voucher of export {voucher.export} is in the files {in_files}"
    yield from (f"law 5: a file has the unknown voucher {one}" for one in found)


def _one_redemption(cloud: Cloud) -> Iterator[str]:
    """Law 6."""
    active = Counter(
        one.code_key for one in all_of(cloud, Redemption) if one.rolled_back_at is None
    )
    yield from (f"law 6: a voucher is redeemed {n} times" for n in active.values() if n > 1)
    for voucher in all_of(cloud, Voucher):
        if bool(active[voucher.code_key]) != bool(voucher.redeemed_by):
            yield f"law 6: voucher and redemptions disagree: {voucher.voucher_id}"


def _refused_once(cloud: Cloud) -> Iterator[str]:
    """Law 10: a voucher that was refused on an order has one note and one fact of it."""
    facts = Counter(
        (fact.ids["voucher"], fact.ids["order_ref"])
        for fact in facts_in(cloud)
        if fact.name == FactName.REDEMPTION_REFUSED
    )
    ids = {one.code_key: one.voucher_id for one in all_of(cloud, Voucher)}
    notes = Counter((ids[one.code_key], one.order_ref) for one in all_of(cloud, RedemptionRefusal))
    if facts != notes:
        yield f"law 10: refusals {facts} are not those that are noted {notes}"


def _counts_and_journal(cloud: Cloud) -> Iterator[str]:
    """Law 10: facts in the table, counts and the journal agree."""
    facts = {fact.fact_id: fact for fact in facts_in(cloud)}
    yield from (f"law 10: not counted: {fact.name}" for fact in facts.values() if not fact.counted)
    campaign = cloud.aside.ports.campaigns.get(CAMPAIGN)
    assert campaign
    recomputed = funnel(totals(deltas(campaign, facts.values())))
    shown = funnel(totals(cloud.aside.ports.repository.counts(CAMPAIGN)))
    if recomputed != shown:
        yield f"law 10: counts {shown} are not those of the facts {recomputed}"
    journaled = Counter(json.loads(line)["fact"]["fact_id"] for line in _journal(cloud))
    yield from (
        f"law 10: not in the journal: {facts[key].name}" for key in facts if not journaled[key]
    )
    yield from (f"law 10: {n} times in the journal" for key, n in journaled.items() if n > 1)
    yield from ("law 10: in the journal only" for key in journaled if key not in facts)


def _nothing_left(cloud: Cloud) -> Iterator[str]:
    """Law 4: what was accepted is decided and sent."""
    for invitation in all_of(cloud, Invitation):
        if invitation.decision is None:
            yield f"law 4: an invitation is undecided: {invitation.invitation_id}"
        elif invitation.state is InvitationState.RECEIVED:
            yield f"law 4: an accepted invitation was not sent: {invitation.invitation_id}"


def _no_customer(cloud: Cloud) -> Iterator[str]:
    """Law 3: nobody was accepted, or confirmed, who was on the list of that decision."""
    digests: dict[str, list[str]] = {}
    for claim in all_of(cloud, RefereeClaim):
        digests.setdefault(claim.invitation_id, []).append(claim.digest)
    listed = {
        one.version: _records(cloud, one)
        for one in all_of(cloud, ListVersion)
        if one.name == "customers"
    }
    decided = [
        (one.invitation_id, one.decision.customers_version)
        for one in all_of(cloud, Invitation)
        if one.decision and one.decision.reason is Reason.ELIGIBLE
    ]
    confirmed = [(one.invitation_id, one.customers_version) for one in all_of(cloud, Referral)]
    freed = _forgotten(cloud)
    for invitation_id, version in (*decided, *confirmed):
        if invitation_id in freed:
            continue
        if invitation_id not in digests:
            yield f"law 1: accepted without a claim on the referee: {invitation_id}"
            continue
        records = {bytes.fromhex(one)[:RECORD] for one in digests[invitation_id]}
        if version is None or records & listed[version]:
            yield f"law 3: a customer of list {version} was accepted: {invitation_id}"


def _records(cloud: Cloud, version: ListVersion) -> set[bytes]:
    """The records of a list, read from its file: a header, then the records."""
    content = cloud.network.bucket.read(version.segment) or b""
    ends = range(HEADER + RECORD, HEADER + RECORD * version.rows + 1, RECORD)
    return {content[end - RECORD : end] for end in ends}


def _addresses_erased(cloud: Cloud) -> Iterator[str]:
    """Law 9: the address of an invitation that ended without a referral is gone."""
    contacts = {one.contact_id for one in all_of(cloud, Contact)}
    for one in all_of(cloud, Invitation):
        if one.state in WITHOUT_ADDRESS and one.contact_id in contacts:
            yield f"law 9: the address of an invitation that is {one.state} is stored"


def _objections(cloud: Cloud) -> Iterator[str]:
    """Law 9: who objected was not invited afterwards."""
    objected = {one.digest: one.recorded_at for one in all_of(cloud, Opposition)}
    claims = {one.invitation_id: one.digest for one in all_of(cloud, RefereeClaim)}
    for one in all_of(cloud, Invitation):
        at = objected.get(claims.get(one.invitation_id, ""))
        # Two processes may disagree by both their clocks.
        if at and one.decision and one.decision.decided_at > at + 2 * CLOCKS:
            yield f"law 9: invited after an objection: {one.invitation_id}"


def _mails_ended(cloud: Cloud) -> Iterator[str]:
    """Law 4: every mail is settled in the end, whatever was not answered."""
    for one in all_of(cloud, Mail):
        if one.state in {MailState.LEASED, MailState.WAITING}:
            yield f"law 4: a mail is still {one.state}: {one.mail_id}"


def _vouchers_mailed(cloud: Cloud) -> Iterator[str]:
    """Law 4: the holder of each good voucher got its mail."""
    left = {str(message_from_bytes(raw)["Message-ID"]) for _, raw in cloud.network.mails}
    contacts = {one.contact_id for one in all_of(cloud, Contact)}
    for one in all_of(cloud, Voucher):
        is_good = one.state is VoucherState.ACKNOWLEDGED and one.contact_id in contacts
        if is_good and not any(one.voucher_id in name for name in left):
            yield f"law 4: no mail of the voucher {one.voucher_id}"


def _known_under_each_key(cloud: Cloud) -> Iterator[str]:
    """Law 1: after a change of keys, every referee is known under the new one."""
    campaign = cloud.aside.ports.campaigns.get(CAMPAIGN)
    assert campaign
    for one in all_of(cloud, Referral):
        missing = set(campaign.digests.key_ids) - set(one.referee.key_ids)
        if missing and not one.address_gone:
            yield f"law 1: a referral is not known under {missing}"


def _worth_what_was_promised(cloud: Cloud) -> Iterator[str]:
    """Law 4: a voucher is worth what the version it was issued under says."""
    for one in all_of(cloud, Voucher):
        version = cloud.aside.ports.repository.get(
            CampaignVersion, campaign=CAMPAIGN, version=one.campaign_version
        )
        assert version
        if one.value_minor != version.document.templates[one.template].value_minor:
            yield f"law 4: a voucher of version {one.campaign_version} is worth {one.value_minor}"


CHECKS = (
    _no_customer,
    _addresses_erased,
    _objections,
    _mails_ended,
    _vouchers_mailed,
    _known_under_each_key,
    _worth_what_was_promised,
    _one_sponsor,
    _one_invitation_mail,
    _one_reward,
    _one_export,
    _one_redemption,
    _refused_once,
    _counts_and_journal,
    _nothing_left,
)


def facts_in(cloud: Cloud) -> list[Fact]:
    """Every fact in the table."""
    items = cloud.table.items.values()
    return [fact_of(dict(item)) for item in items if item.get("kind") == {"S": FACT_KIND}]


def files(cloud: Cloud, prefix: str) -> Iterator[tuple[str, bytes]]:
    """The files under a prefix, in the order of their names."""
    return cloud.network.bucket.under(prefix)


def _journal(cloud: Cloud) -> list[bytes]:
    """The chained lines of the journal up to its head, verified."""
    segments = {}
    for _, content in files(cloud, f"out/{CAMPAIGN}/journal/"):
        lines = content.splitlines()
        segments[json.loads(lines[-1])["hash"]] = lines
    head = cloud.aside.ports.repository.get(JournalHead, campaign=CAMPAIGN)
    at = head.hash if head else GENESIS
    chained: list[bytes] = []
    while at != GENESIS:
        chained = segments[at] + chained
        at = json.loads(segments[at][0])["previous"]
    verify(GENESIS, chained)
    return chained


def all_of(cloud: Cloud, kind: type[E]) -> list[E]:
    """Every stored entity of a kind."""
    name = ITEM_KINDS[kind].kind
    items = cloud.table.items.values()
    return [entity_of(kind, dict(item)) for item in items if item.get("kind") == {"S": name}]
