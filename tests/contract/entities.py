"""One of every kind of entity, with every field filled."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.review import Signal
from chalicelib.domain.campaign.rules import HolderRole, Release
from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.changes import ChangeKind, VoucherChange
from chalicelib.domain.changes_files import ChangesFile, ChangesPart, ChangesSequence
from chalicelib.domain.cohorts import Cohort
from chalicelib.domain.consents import (
    Consent,
    ConsentChange,
    ConsentSource,
    ConsentState,
    Word,
)
from chalicelib.domain.consents_files import ConsentsFile, ConsentsPart, ConsentsSequence
from chalicelib.domain.eligibility import Reason
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export, ExportPart, ExportSequence, ExportState
from chalicelib.domain.fact_checks import FactCheck, UnfinishedHour
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.parts import Area, FileInParts, HandledPart
from chalicelib.domain.files.reading import LineError
from chalicelib.domain.invitations import Channel, Decision, Invitation, InvitationState, Submission
from chalicelib.domain.journal import LEFT_SHARD, JournalGroup, JournalHead, part_of_bundle
from chalicelib.domain.links import LinkDay
from chalicelib.domain.lists.model import (
    CurrentList,
    FileRecord,
    FullList,
    HeldList,
    ListDelta,
    ListDrops,
    ListVersion,
)
from chalicelib.domain.mails import Mail, MailProblem, MailState
from chalicelib.domain.order_refs import OrderReference
from chalicelib.domain.orders import Buyer, Order, OrderStatus
from chalicelib.domain.people import (
    Contact,
    Link,
    Opposition,
    OppositionScope,
    RefereeClaim,
    Session,
    Sponsor,
    SponsorClaim,
    Token,
    TokenPurpose,
)
from chalicelib.domain.privacy import PrivacyLink, Wish
from chalicelib.domain.protection import HeldInvitation, InvitationStop, StopReason
from chalicelib.domain.redemptions import (
    OrderUse,
    OrderUses,
    Redemption,
    RedemptionRefusal,
)
from chalicelib.domain.referral_orders import FurtherOrder
from chalicelib.domain.referrals import Referral
from chalicelib.domain.review import DomainDay, Hold, NetworkAnswers, ScoredSignal
from chalicelib.domain.rewards import Budget, Reward
from chalicelib.domain.sign_ins import SignInLink
from chalicelib.domain.statements import Statement
from chalicelib.domain.traces import Traces
from chalicelib.domain.vouchers import (
    SpareCode,
    Voucher,
    VoucherState,
)
from chalicelib.domain.wall_links import WallLink
from chalicelib.domain.watch import CodesLeft, LastFile
from tests.fakes.campaign import CAMPAIGN, campaign, digests
from tests.fakes.ports import MORNING

LATER = MORNING + timedelta(days=30, microseconds=1)
DOCUMENT = campaign(version=3)
LISTED: dict[str, Any] = {
    "campaign": CAMPAIGN, "name": "vips", "version": 2, "rows": 5, "segment": "k", "etag": "e",
    "directory_crc": 0xFEDCBA98, "key_id": "k1", "algorithm": "hmac_sha256",
    "accepted_at": MORNING, "source_sha256": "h",
    "mode": "add", "base_version": 1, "last_position": "o",
    "full": FullList(position="o", sha256="h", key_id="k1", segment="f", etag="g", rows=4),
}  # fmt: skip
JOURNAL_PART = part_of_bundle("ab" * 32, 3, 7, MORNING, (f"{CAMPAIGN}:ire000001abc",))

ENTITIES: list[Entity] = [
    CampaignVersion(campaign=CAMPAIGN, version=3, put_at=MORNING, document=DOCUMENT),
    CurrentCampaign(
        campaign=CAMPAIGN, version=3, put_at=MORNING, document=DOCUMENT, rekeyed_for=("k2", "k1"),
        ends_followed=2, ends_after="p", ends_left=1, records_after="p", records_ended_at=LATER,
    ),
    Contact(
        contact_id="c", campaign=CAMPAIGN, address=Address.parse("Zoé@exemple.fr"),
        first_name="Zoé", locale="fr", ends_at=LATER,
    ),
    Contact(
        contact_id="asked", campaign=CAMPAIGN, address=Address.parse("zoe@exemple.fr"),
        locale="fr", ends_at=LATER, file_asked_at=MORNING, file="H4sI",
    ),
    Sponsor(
        sponsor_id="s", campaign=CAMPAIGN, contact_id="c", digests=digests("v+x@gmail.com"),
        link_code="abc", locale="fr", created_at=MORNING, vip_list_version=1, invited=2,
        rewards=4, counts_revoked=False,
        link_problems=6, link_confirmed=3, link_made_at=MORNING, links_made=2,
        links_made_on=date(2026, 3, 2), traces=Traces(domain="1" * 16, stem="2" * 16),
    ),
    SponsorClaim(campaign=CAMPAIGN, digest="d", sponsor_id="s"),
    RefereeClaim(campaign=CAMPAIGN, digest="d", sponsor_id="s", invitation_id="i"),
    Opposition(
        brand="demo", digest="d", recorded_at=MORNING, scope=OppositionScope.ALL,
        rewards={CAMPAIGN: 2}, invited={CAMPAIGN: 5},
    ),
    Link(link_code="abc", campaign=CAMPAIGN, sponsor_id="s"),
    LinkDay(
        link_code="abc", campaign=CAMPAIGN, day=date(2026, 3, 2), sign_ups=3, ends_at=LATER
    ),
    Token(
        token_hash="h", purpose=TokenPurpose.INVITATION, campaign=CAMPAIGN, sponsor_id="s",
        invitation_id="i", contact_id="c", referral_id="r", digests=digests("a@b.fr"),
        ends_at=LATER, used_at=MORNING,
    ),
    SignInLink(
        sponsor_id="s", campaign=CAMPAIGN, contact_id="c", mailed=2, waits_until=MORNING,
        ends_at=LATER,
    ),
    SignInLink(
        sponsor_id="stopped", campaign=CAMPAIGN, mailed=0, waits_until=MORNING, ends_at=LATER
    ),
    PrivacyLink(
        brand="demo", digest="d", campaign=CAMPAIGN, contact_id="c", mailed=2, waits_until=MORNING,
        ends_at=LATER, wish=Wish.EXPORT,
    ),
    PrivacyLink(
        brand="demo", digest="stopped", campaign=CAMPAIGN, mailed=0, waits_until=MORNING,
        ends_at=LATER,
    ),
    Session(
        session_hash="h", campaign=CAMPAIGN, sponsor_id="s", ends_at=LATER, vip_checked_at=MORNING
    ),
    Cohort(
        campaign=CAMPAIGN, source="search", as_of=MORNING.date(), dropped_at=MORNING,
        lives="0:3:0 30:12:1 90:0:8",
    ),
    WallLink(
        campaign=CAMPAIGN, token_hash="0123456789abcdef", made_at=MORNING, by="AIDAOPS",
        ends_at=LATER,
    ),
    Invitation(
        invitation_id="i", campaign=CAMPAIGN, sponsor_id="s", contact_id="c",
        channel=Channel.EMAIL, masked="z•••@e•••.fr", locale="fr",
        state=InvitationState.SENT, received_at=MORNING, closes_at=LATER, campaign_version=3,
        correlation="k", decision=Decision(
            reason=Reason.ELIGIBLE, decided_at=MORNING, campaign_version=3, customers_version=2,
            vips_version=1,
        ),
        sent_at=MORNING, ended_at=LATER, referral_id="r",
        traces=Traces(domain="1" * 16, stem="2" * 16), domain_number=2, answers_beside=1,
        bought_at_minimum=True,
    ),
    Submission(
        sponsor_id="s", key_hash="h", request_hash="q", invitation_ids=("i", "j"), ends_at=LATER
    ),
    Referral(
        referral_id="r", campaign=CAMPAIGN, sponsor_id="s", invitation_id="i", contact_id="c",
        sponsor_digest="d", referee=digests("a@b.fr"), confirmed_at=MORNING,
        campaign_version=3, customers_version=2, terms_version="1", marketing_consent=True,
        correlation="k", orders=2, kept_orders=("A1", "A2"), newcomer=True,
        newcomer_list_version=2, found_on_later_list=True, address_gone=True, rewards=1,
        newcomer_as_of=MORNING, known_orders=("A1", "A2", "A3"), further_orders=1, further_kept=1,
    ),
    Reward(
        referral_id="r", rule="ladder-first", rung=1, campaign=CAMPAIGN, order_id="A1",
        code_key="C", granted_at=MORNING, refused_reason="x", revoked_at=LATER, is_used=True,
        to=HolderRole.REFEREE, value_minor=500, voucher_id="v", in_budget=True,
        hold=Hold(
            held_at=MORNING, ends_at=LATER, score=35,
            signals=(ScoredSignal(signal=Signal.SEQUENCE, seen=2, points=35),),
            released_at=LATER, released_by="AROA1",
        ),
    ),
    Order(
        campaign=CAMPAIGN, order_id="A#1", referral_id="r", status=OrderStatus.PLACED,
        ordered_at=MORNING, amount_minor=8000, currency="EUR", return_window_ends_at=LATER,
        kept_at=LATER, buyer=Buyer.REFEREE, counts=True, code_key="C", template="welcome",
        first_version=3, status_version=3, order_ref="f" * 32,
    ),
    OrderReference(order_ref="f" * 32, campaign=CAMPAIGN, order_id="A#1"),
    RedemptionRefusal(campaign=CAMPAIGN, order_ref="f" * 32, code_key="C"),
    Budget(campaign=CAMPAIGN, spent_minor=500),
    NetworkAnswers(
        sponsor_id="s", network="0" * 16, campaign=CAMPAIGN, answers=2, ends_at=LATER
    ),
    DomainDay(campaign=CAMPAIGN, domain="0" * 16, day="2026-03-02", invited=2, ends_at=LATER),
    Voucher(
        code_key="C", voucher_id="v", code="WE-C", campaign=CAMPAIGN, campaign_version=3,
        template="welcome", holder=HolderRole.REFEREE, holder_id="r", holder_digest="d",
        contact_id="c", referral_id="r", rule="welcome", rung=0, value_minor=1000,
        currency="EUR", minimum_basket_minor=4000, valid_from=MORNING, valid_until=LATER,
        issued_at=MORNING, state=VoucherState.REDEEMED, release=Release.AT_ONCE,
        correlation="k", export=1, acknowledged_at=MORNING, refused_reason="", redeemed_by="A1",
        revoked_at=LATER, ended_at=LATER, changed_at=LATER, changes=2,
        holder_bound=True, holder_digests=("d",), not_with=("thank-you",),
        replaces="u", replaced_by="w", holder_key_id="k1", far_zone="Pacific/Apia",
    ),
    Redemption(
        code_key="C", order_id="A1", ordered_at=MORNING, amount_minor=8000, currency="EUR",
        redeemed_at=MORNING, rolled_back_at=LATER, buyer=Buyer.SPONSOR, order_ref="f" * 32,
    ),
    OrderUses(
        order_id="A#1",
        uses=(
            OrderUse(campaign=CAMPAIGN, code_key="C", template="welcome", not_with=("thank-you",)),
        ),
        of_sponsors=(CAMPAIGN,), noted_until=LATER,
    ),
    FurtherOrder(
        referral_id="r", group="kept", position="2026-03-02T09:00:00.000000Z#A#1", order_id="A#1"
    ),
    SpareCode(
        campaign=CAMPAIGN, template="welcome", code_key="OWN1", code="OWN-1", shard="#7"
    ),
    VoucherChange(
        campaign=CAMPAIGN, shard="#3", position="p", code_key="C", code="WE-C", voucher_id="v",
        change=ChangeKind.REDEEMED, at=MORNING, order_id="A1", reason="r",
    ),
    ChangesSequence(campaign=CAMPAIGN, number=1),
    ChangesFile(
        campaign=CAMPAIGN, number=1, state=ExportState.WRITTEN, opened_at=MORNING, parts=1,
        rows=1, sealed_at=MORNING, sha256="h", written_at=LATER,
    ),
    ChangesPart(
        campaign=CAMPAIGN, number=1, part=1,
        columns=("code", "change"), rows=(("WE-C", "redeemed"),),
    ),
    Consent(
        brand="demo", digest="d", consent_id="k", campaign=CAMPAIGN,
        given=Word(
            state=ConsentState.GIVEN, at=MORNING, source=ConsentSource.CONFIRMATION, wording="1",
            terms_version="1",
        ),
        withdrawal=Word(
            state=ConsentState.WITHDRAWAL, at=LATER, source=ConsentSource.UNSUBSCRIBE, wording="1",
        ),
        agreed={CAMPAIGN: "r"},
    ),
    ConsentChange(
        campaign=CAMPAIGN, shard="#3", position="p", digest="d", state=ConsentState.GIVEN,
        at=MORNING, wording="1", source=ConsentSource.CONFIRMATION, referral_id="r",
    ),
    ConsentsSequence(campaign=CAMPAIGN, number=1),
    ConsentsFile(
        campaign=CAMPAIGN, number=1, state=ExportState.WRITTEN, opened_at=MORNING, parts=1,
        rows=1, sealed_at=MORNING, sha256="h", written_at=LATER,
    ),
    ConsentsPart(
        campaign=CAMPAIGN, number=1, part=1, columns=("digest", "state"),
        rows=(("d", "given"),), ends_at=LATER,
    ),
    Statement(
        campaign=CAMPAIGN, month="2026-03", until=LATER, rows=1, sha256="h", exports=2,
        changes=3, exports_complete=1, changes_complete=2, written_at=LATER,
    ),
    ExportSequence(campaign=CAMPAIGN, number=1),
    Export(
        campaign=CAMPAIGN, number=1, state=ExportState.WRITTEN, opened_at=MORNING, parts=1,
        rows=1, sealed_at=MORNING, sha256="h", written_at=MORNING, acknowledged_at=LATER,
    ),
    ExportPart(
        campaign=CAMPAIGN, number=1, part=1, codes=("C",),
        columns=("code", "value"), rows=(("WE-C", "10.00"),),
    ),
    ListVersion(**LISTED, ends_at=LATER),
    CurrentList(**LISTED),
    ListDelta(
        campaign=CAMPAIGN, name="vips", position="o", mode="add", sha256="h", key_id="k1",
        segment="k", etag="e", rows=5, as_of=MORNING, base_sha256="b", ends_at=LATER,
    ),
    HeldList(
        campaign=CAMPAIGN, name="vips", mode="full", sha256="h", path="p", dropped_at=MORNING,
        sequencer="s", file_version="v", reason="r", detail="d", rows=5, held_at=MORNING,
        ends_at=LATER, decision="released", decided_by="w", decided_at=LATER,
    ),
    ListDrops(campaign=CAMPAIGN, name="vips", count=3),
    FileRecord(
        campaign=CAMPAIGN, area="vips", sha256="h", file="f", processed_at=MORNING, version=1,
        position="o", as_of=MORNING,
    ),
    Mail(
        mail_id="m", mail_kind="invitation", campaign=CAMPAIGN, contact_id="c",
        state=MailState.SENT, leased_at=MORNING, ends_at=LATER, correlation="k",
        ids={"invitation": "i"}, sent_at=MORNING, provider_id="p", caused_at=MORNING,
        problem=MailProblem.BOUNCED, problem_at=LATER, earlier_ids=("e",),
    ),
    LastFile(campaign=CAMPAIGN, area="orders", dropped_at=MORNING),
    CodesLeft(campaign=CAMPAIGN, template="welcome", left=5, needed=7, counted_at=MORNING),
    JournalHead(campaign=CAMPAIGN, number=1, hash="h", group=1, acts="ire000001abc"),
    replace(JOURNAL_PART, shard=LEFT_SHARD, campaign=CAMPAIGN, group=1),
    JournalGroup(number=1, opened_at=MORNING, parts=(JOURNAL_PART,)),
    FactCheck(
        hour=MORNING, shard=16,
        unfinished=(UnfinishedHour(hour=MORNING, looked_at=LATER, shard=32, is_missing=True),),
    ),
    InvitationStop(
        campaign=CAMPAIGN, reason=StopReason.COMPLAINTS, stopped_at=MORNING, resumed_at=LATER,
        counted_before={"sent": 5000, "complaints": 5},
    ),
    HeldInvitation(
        campaign=CAMPAIGN, invitation_id="i", queued_at=LATER, ends_at=LATER,
        accepted=Fact(
            fact_id="f", name="invitation_accepted", campaign=CAMPAIGN, subject="i", at=MORNING,
            correlation="k", ids={"sponsor": "s", "invitation": "i"},
            details={"reason": "eligible", "channel": "email", "campaign_version": 1},
        ),
    ),
    FileInParts(
        campaign=CAMPAIGN, file_id="f", area=Area.CODES, about="welcome", file="codes/a.csv",
        dropped_at=MORNING, received_at=MORNING, sha256="h", folder="d", parts=2, quarantined=True,
        name_withheld=True, finished_at=LATER, queued_at=LATER, ends_at=LATER,
    ),
    HandledPart(
        campaign=CAMPAIGN, file_id="f", part=1, position=9, left=(7,), is_complete=False, rows=9,
        rejected=1, errors=(LineError(3, "code_invalid", "d"),), effects={"stored": 7},
        vouchers=((4, "unknown"),), ends_at=LATER,
    ),
]  # fmt: skip
