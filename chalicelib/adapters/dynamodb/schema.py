"""The key schema of the single table: every kind of item, its key, and the access patterns.

| # | question | answered by |
|---|---|---|
| AP1 | the campaign file in force; a version; its budget | `CAMPAIGN#{campaign}` / … |
| AP2 | all campaigns | agenda `campaigns` |
| AP3 | who is behind a mailed token, a session | `TOKEN#{sha256}`, `SESSION#{sha256}` |
| AP4 | the sponsor's space: profile and invitations in one query | `SPONSOR#{sponsor_id}` / … |
| AP5 | the sponsor, invitation, opposition behind a digest | `DIGEST#{scope}#{digest}` / … |
| AP6 | a plain address (the only kind of item with one; it has an end) | `CONTACT#{contact_id}` |
| AP7 | a referral and what was granted for it | `REFERRAL#{referral_id}` / … |
| AP8 | a voucher by its code, and its redemptions | `VOUCHER#{code_key}` / … |
| AP9 | the vouchers of a holder | index `holder` |
| AP10 | what is due: undecided, closing, unexported, expiring, leased, … | index `due` |
| AP11 | the export that is open; its rows | `EXPORTS#{campaign}`, `EXPORT#{campaign}#{number}` |
| AP12 | the list in force, its versions, its deltas, held lists | `LIST#{campaign}#{name}` |
| AP13 | has this file been processed | `FILE#{campaign}#{area}#{sha256}` |
| AP14 | the facts of one hour; those of one subject in it, in order | `FACT#{hour}#{shard:03}` |
| AP15 | counts by day; the journal's head | `COUNT#{campaign}#{spread:02}`, `JOURNAL#{campaign}` |
| AP16 | changes of vouchers that are in no file yet, by shard | `CHANGES#{campaign}{shard}` |
| AP17 | the vouchers used on an order; whether a sponsor made it | `USES#{order_id}` |
| AP18 | when the last order file came; own codes left; cohorts | `WATCH#{campaign}` |
| AP19 | the file of changes that is open; its rows | `CHANGES_FILES#{campaign}` / `FILE#…`; … |
| AP20 | the statements that are written | `STATEMENTS#{campaign}` |
| AP21 | how far the facts have been checked | `CHECKS` |
| AP22 | what of the journal is not sealed; what is being sealed | `JOURNAL_PARTS#{shard:02}`; … |
| AP23 | are invitations stopped, and which are held | `WATCH#{campaign}`, `HELD#{campaign}` |
| AP24 | what a large file has come to, part by part | `PARTS#{campaign}#{file_id}` |
| AP25 | a person's word about a brand's news | `DIGEST#brand:{brand}#{digest}` |
| AP26 | words in no file yet, by shard; the open file of them | `CONSENTS#{campaign}{shard}`, … |
| AP27 | which order a fact is about; vouchers refused on it | `ORDER_REF#{campaign}#{order_ref}` |
| AP28 | the wall link behind a token; those of a campaign | `WALL_LINKS#{campaign}` |

A key is a template over the fields of its entity, so this table and the code cannot differ.
`{version:08}` keeps numbers in order. The last part of a sort key may contain any text; no other
part may contain a `#`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, NamedTuple
from zlib import crc32

from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.changes_files import ChangesFile, ChangesPart, ChangesSequence
from chalicelib.domain.cohorts import Cohort
from chalicelib.domain.consents import Consent, ConsentChange
from chalicelib.domain.consents_files import ConsentsFile, ConsentsPart, ConsentsSequence
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export, ExportPart, ExportSequence
from chalicelib.domain.fact_checks import FactCheck
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.parts import FileInParts, HandledPart
from chalicelib.domain.invitations import Invitation, InvitationState, Submission
from chalicelib.domain.journal import JournalGroup, JournalHead, JournalPart
from chalicelib.domain.links import LinkDay
from chalicelib.domain.lists.model import (
    CurrentList,
    FileRecord,
    HeldList,
    ListDelta,
    ListDrops,
    ListVersion,
)
from chalicelib.domain.mails import UNSETTLED, Mail, is_to_be_shown
from chalicelib.domain.order_refs import OrderReference
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.people import (
    Contact,
    Link,
    Opposition,
    RefereeClaim,
    Session,
    Sponsor,
    SponsorClaim,
    Token,
)
from chalicelib.domain.privacy import PrivacyLink
from chalicelib.domain.protection import HeldInvitation, InvitationStop
from chalicelib.domain.redemptions import OrderUses, Redemption, RedemptionRefusal
from chalicelib.domain.referral_orders import FurtherOrder
from chalicelib.domain.referrals import Referral, ReferralMark
from chalicelib.domain.review import DomainDay, NetworkAnswers
from chalicelib.domain.rewards import Budget, Reward, is_held
from chalicelib.domain.sign_ins import SignInLink
from chalicelib.domain.statements import Statement
from chalicelib.domain.vouchers import SpareCode, Voucher, awaits_replacement, next_due_at
from chalicelib.domain.wall_links import WallLink
from chalicelib.domain.watch import CodesLeft, LastFile
from chalicelib.services.ports import FACT_SHARDS, Agenda

DUE_INDEX = "due"
# Of items that were stored before the index `due`, until they are written again.
FORMER_AGENDA_INDEX = "agenda"
HOLDER_INDEX = "holder"
FACT_KIND = "FACT"
COUNT_SPREADS = 32  # items for the counts of a day
COUNT_PARTITIONS = 4  # that they are in: what the dashboard reads
HOUR_WIDTH = len("2026-11-26T20")  # of a moment: its day and hour

# Over how many partitions of the index an agenda is spread. A partition takes 1,000 write units a
# second, and an index that cannot keep up holds up the table. An entry costs one unit when it comes
# and one when it goes: with 2,000 invitations a second, 125 units in each of 32 partitions.
# A number may grow, never shrink: entries stay in the partition that they were stored in.
_MANY, _SOME, _FEW = 32, 8, 1
SHARDS: Mapping[Agenda, int] = {
    Agenda.CAMPAIGNS: _FEW,
    Agenda.UNDECIDED: _MANY,
    Agenda.CLOSING: _MANY,
    Agenda.UNEXPORTED: _SOME,
    Agenda.UNACKNOWLEDGED: _FEW,
    Agenda.EXPIRING: _MANY,
    Agenda.REFUSED: _FEW,
    Agenda.RETURN_WINDOW: _MANY,
    Agenda.REFERRALS: _SOME,
    Agenda.LEASED: _MANY,
    Agenda.UNDELIVERED: _FEW,
    Agenda.FILES: _FEW,
    Agenda.HELD_REWARDS: _FEW,
}


class AgendaEntry(NamedTuple):
    """Where an entity stands: on which agenda, of which campaign if it has one, and when. Readers
    of the index find the `mark` beside the key, without reading the item; an agenda with marks is
    in the order of days alone, to take no more bytes.
    """

    agenda: Agenda
    scope: str
    at: datetime
    mark: str = ""


@dataclass(frozen=True)
class ItemKind:
    """The keys of one kind of entity: partition key, sort key, and its agenda, if any."""

    kind: str
    pk: str
    sk: str
    ends: str | None = None
    agenda: Callable[[Any], AgendaEntry | None] = lambda _: None
    holder: str | None = None


def _invitation_agenda(invitation: Invitation) -> AgendaEntry | None:
    if invitation.state is InvitationState.RECEIVED and invitation.decision is None:
        return AgendaEntry(Agenda.UNDECIDED, invitation.campaign, invitation.received_at)
    if invitation.state in {InvitationState.RECEIVED, InvitationState.SENT}:
        return AgendaEntry(Agenda.CLOSING, "", invitation.closes_at)
    return None


def _voucher_agenda(voucher: Voucher) -> AgendaEntry | None:
    if voucher.export is None:
        return AgendaEntry(Agenda.UNEXPORTED, voucher.campaign, voucher.issued_at)
    if voucher.ended_at is None:
        if awaits_replacement(voucher):
            return AgendaEntry(Agenda.REFUSED, "", voucher.valid_until)
        return AgendaEntry(Agenda.EXPIRING, "", next_due_at(voucher))
    return None


def _export_agenda(export: Export) -> AgendaEntry | None:
    if export.written_at and export.acknowledged_at is None:
        return AgendaEntry(Agenda.UNACKNOWLEDGED, export.campaign, export.written_at)
    return None


def _reward_agenda(reward: Reward) -> AgendaEntry | None:
    if reward.hold and is_held(reward):
        return AgendaEntry(Agenda.HELD_REWARDS, reward.campaign, reward.hold.ends_at)
    return None


def _order_agenda(order: Order) -> AgendaEntry | None:
    if order.status is OrderStatus.PLACED:
        return AgendaEntry(Agenda.RETURN_WINDOW, "", order.return_window_ends_at)
    return None


def _referral_agenda(referral: Referral) -> AgendaEntry:
    mark = str(ReferralMark.of(referral))
    return AgendaEntry(Agenda.REFERRALS, referral.campaign, referral.confirmed_at, mark)


def _mail_agenda(mail: Mail) -> AgendaEntry | None:
    if mail.state in UNSETTLED:
        return AgendaEntry(Agenda.LEASED, "", mail.leased_at)
    if is_to_be_shown(mail) and mail.problem_at:
        return AgendaEntry(Agenda.UNDELIVERED, mail.campaign, mail.problem_at)
    return None


def _file_agenda(file: FileInParts) -> AgendaEntry | None:
    return None if file.finished_at else AgendaEntry(Agenda.FILES, "", file.received_at)


ITEM_KINDS: dict[type[Entity], ItemKind] = {
    CampaignVersion: ItemKind("CAMPAIGN_VERSION", "CAMPAIGN#{campaign}", "VERSION#{version:08}"),
    CurrentCampaign: ItemKind(
        "CAMPAIGN",
        "CAMPAIGN#{campaign}",
        "IN_FORCE",
        agenda=lambda campaign: AgendaEntry(Agenda.CAMPAIGNS, "", campaign.put_at),
    ),
    Contact: ItemKind("CONTACT", "CONTACT#{contact_id}", "CONTACT", ends="ends_at"),
    Sponsor: ItemKind("SPONSOR", "SPONSOR#{sponsor_id}", "SPONSOR"),
    SponsorClaim: ItemKind("SPONSOR_CLAIM", "DIGEST#{campaign}#{digest}", "SPONSOR"),
    RefereeClaim: ItemKind("REFEREE_CLAIM", "DIGEST#{campaign}#{digest}", "REFEREE"),
    Opposition: ItemKind("OPPOSITION", "DIGEST#brand:{brand}#{digest}", "OPPOSITION"),
    Link: ItemKind("LINK", "LINK#{link_code}", "LINK"),
    LinkDay: ItemKind("LINK_DAY", "LINK#{link_code}", "DAY#{day}", ends="ends_at"),
    Token: ItemKind("TOKEN", "TOKEN#{token_hash}", "TOKEN", ends="ends_at"),
    SignInLink: ItemKind("SIGN_IN_LINK", "SPONSOR#{sponsor_id}", "SIGN_IN", ends="ends_at"),
    PrivacyLink: ItemKind(
        "PRIVACY_LINK", "DIGEST#brand:{brand}#{digest}", "PRIVACY", ends="ends_at"
    ),
    Session: ItemKind("SESSION", "SESSION#{session_hash}", "SESSION", ends="ends_at"),
    Invitation: ItemKind(
        "INVITATION",
        "SPONSOR#{sponsor_id}",
        "INVITATION#{invitation_id}",
        agenda=_invitation_agenda,
    ),
    Submission: ItemKind(
        "SUBMISSION", "SPONSOR#{sponsor_id}", "SUBMISSION#{key_hash}", ends="ends_at"
    ),
    Referral: ItemKind("REFERRAL", "REFERRAL#{referral_id}", "REFERRAL", agenda=_referral_agenda),
    Reward: ItemKind(
        "REWARD", "REFERRAL#{referral_id}", "REWARD#{rule}#{rung:04}", agenda=_reward_agenda
    ),
    NetworkAnswers: ItemKind(
        "NETWORK_ANSWERS", "NETWORK#{sponsor_id}", "NETWORK#{network}", ends="ends_at"
    ),
    DomainDay: ItemKind("DOMAIN_DAY", "DOMAIN#{campaign}#{domain}", "DAY#{day}", ends="ends_at"),
    FurtherOrder: ItemKind("FURTHER_ORDER", "ORDERS#{referral_id}#{group}", "ORDER#{position}"),
    Budget: ItemKind("BUDGET", "CAMPAIGN#{campaign}", "BUDGET"),
    Order: ItemKind("ORDER", "ORDER#{campaign}#{order_id}", "ORDER", agenda=_order_agenda),
    Voucher: ItemKind(
        "VOUCHER", "VOUCHER#{code_key}", "VOUCHER", agenda=_voucher_agenda, holder="holder_id"
    ),
    Redemption: ItemKind("REDEMPTION", "VOUCHER#{code_key}", "REDEMPTION#{order_id}"),
    OrderReference: ItemKind("ORDER_REFERENCE", "ORDER_REF#{campaign}#{order_ref}", "ORDER"),
    RedemptionRefusal: ItemKind(
        "REDEMPTION_REFUSAL", "ORDER_REF#{campaign}#{order_ref}", "REFUSAL#{code_key}"
    ),
    OrderUses: ItemKind("ORDER_USES", "USES#{order_id}", "USES", ends="ends_at"),
    SpareCode: ItemKind("SPARE_CODE", "CODES#{campaign}#{template}{shard}", "CODE#{code_key}"),
    VoucherChange: ItemKind("VOUCHER_CHANGE", "CHANGES#{campaign}{shard}", "CHANGE#{position}"),
    ChangesSequence: ItemKind("CHANGES_SEQUENCE", "CHANGES_FILES#{campaign}", "SEQUENCE"),
    ChangesFile: ItemKind("CHANGES_FILE", "CHANGES_FILES#{campaign}", "FILE#{number:08}"),
    ChangesPart: ItemKind("CHANGES_PART", "CHANGES_FILE#{campaign}#{number:08}", "PART#{part:06}"),
    Consent: ItemKind("CONSENT", "DIGEST#brand:{brand}#{digest}", "CONSENT"),
    ConsentChange: ItemKind("CONSENT_CHANGE", "CONSENTS#{campaign}{shard}", "WORD#{position}"),
    ConsentsSequence: ItemKind("CONSENTS_SEQUENCE", "CONSENTS_FILES#{campaign}", "SEQUENCE"),
    ConsentsFile: ItemKind("CONSENTS_FILE", "CONSENTS_FILES#{campaign}", "FILE#{number:08}"),
    ConsentsPart: ItemKind(
        "CONSENTS_PART", "CONSENTS_FILE#{campaign}#{number:08}", "PART#{part:06}", ends="ends_at"
    ),
    Statement: ItemKind("STATEMENT", "STATEMENTS#{campaign}", "STATEMENT#{month}"),
    ExportSequence: ItemKind("EXPORT_SEQUENCE", "EXPORTS#{campaign}", "SEQUENCE"),
    Export: ItemKind("EXPORT", "EXPORTS#{campaign}", "EXPORT#{number:08}", agenda=_export_agenda),
    ExportPart: ItemKind("EXPORT_PART", "EXPORT#{campaign}#{number:08}", "PART#{part:06}"),
    ListVersion: ItemKind(
        "LIST_VERSION", "LIST#{campaign}#{name}", "VERSION#{version:08}", ends="ends_at"
    ),
    CurrentList: ItemKind("LIST", "LIST#{campaign}#{name}", "IN_FORCE"),
    ListDrops: ItemKind("LIST_DROPS", "LIST#{campaign}#{name}", "DROPS"),
    ListDelta: ItemKind("LIST_DELTA", "LIST#{campaign}#{name}", "DELTA#{position}", ends="ends_at"),
    HeldList: ItemKind(
        "HELD_LIST", "LIST#{campaign}#{name}", "HELD#{mode}#{sha256}", ends="ends_at"
    ),
    FileRecord: ItemKind("FILE", "FILE#{campaign}#{area}#{sha256}", "FILE"),
    Mail: ItemKind("MAIL", "MAIL#{mail_id}", "MAIL", ends="ends_at", agenda=_mail_agenda),
    LastFile: ItemKind("LAST_FILE", "WATCH#{campaign}", "FILE#{area}"),
    Cohort: ItemKind("COHORT", "WATCH#{campaign}", "COHORT#{source}"),
    CodesLeft: ItemKind("CODES_LEFT", "WATCH#{campaign}", "CODES#{template}"),
    FactCheck: ItemKind("FACT_CHECK", "CHECKS", "FACTS"),
    InvitationStop: ItemKind("INVITATION_STOP", "WATCH#{campaign}", "INVITATIONS"),
    HeldInvitation: ItemKind(
        "HELD_INVITATION", "HELD#{campaign}", "INVITATION#{invitation_id}", ends="ends_at"
    ),
    FileInParts: ItemKind(
        "FILE_IN_PARTS", "PARTS#{campaign}#{file_id}", "FILE", ends="ends_at", agenda=_file_agenda
    ),
    HandledPart: ItemKind(
        "HANDLED_PART", "PARTS#{campaign}#{file_id}", "PART#{part:06}", ends="ends_at"
    ),
    WallLink: ItemKind("WALL_LINK", "WALL_LINKS#{campaign}", "LINK#{token_hash}", ends="ends_at"),
    JournalHead: ItemKind("JOURNAL_HEAD", "JOURNAL#{campaign}", "HEAD"),
    JournalPart: ItemKind("JOURNAL_PART", "JOURNAL_PARTS#{shard:02}", "PART#{position}"),
    JournalGroup: ItemKind("JOURNAL_GROUP", "JOURNAL_GROUP", "GROUP"),
}


KINDS: Mapping[str, type[Entity]] = {one.kind: kind for kind, one in ITEM_KINDS.items()}


def has_ended(entity: Entity, now: datetime) -> bool:
    """Whether `entity` is past its end: it counts as removed, whenever AWS removes its item."""
    ends = ITEM_KINDS[type(entity)].ends
    end: datetime | None = getattr(entity, ends) if ends else None
    return end is not None and end <= now


def moment(at: datetime) -> str:
    """A time as stored: UTC, microseconds, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def key_of(entity: Entity) -> dict[str, str]:
    """The primary key of `entity`."""
    item_kind = ITEM_KINDS[type(entity)]
    fields = vars(entity)
    return {"pk": item_kind.pk.format_map(fields), "sk": item_kind.sk.format_map(fields)}


def key_for(kind: type[Entity], parts: Mapping[str, str | int]) -> dict[str, str]:
    """The primary key of the entity of `kind` with those parts; KeyError when one is missing."""
    item_kind = ITEM_KINDS[kind]
    return {"pk": item_kind.pk.format_map(parts), "sk": item_kind.sk.format_map(parts)}


def partition_for(kind: type[Entity], parts: dict[str, str | int]) -> tuple[str, str]:
    """The partition key and the constant start of the sort key of `kind`."""
    item_kind = ITEM_KINDS[kind]
    return item_kind.pk.format_map(parts), item_kind.sk.partition("{")[0]


def fact_key(fact: Fact) -> dict[str, str]:
    """The primary key of a fact: in its hour those of one subject are together, in the order of
    time.
    """
    if fact.by_subject:
        return {"pk": subject_partition(fact.subject), "sk": f"{moment(fact.at)}#{fact.fact_id}"}
    return {
        "pk": hour_partition(fact.at, fact_shard(fact.subject)),
        "sk": f"{fact.subject}#{moment(fact.at)}#{fact.fact_id}",
    }


def fact_shard(subject: str) -> int:
    """Which of `FACT_SHARDS` partitions of an hour has the facts of `subject`: always the same."""
    return crc32(subject.encode()) % FACT_SHARDS


def hour_partition(at: datetime, shard: int) -> str:
    """The partition of the facts of one hour (UTC) and shard."""
    return f"FACT#{moment(at)[:HOUR_WIDTH]}#{shard:03}"


def subject_partition(subject: str) -> str:
    """Where 0.2.0 and versions before stored the facts of one subject."""
    return f"FACT#{subject}"


def count_key(campaign: str, day: date, digest: str, nth: int = 0) -> dict[str, str]:
    """The primary key of the counts of one local day that are added with a part of the journal.

    They are spread by the SHA-256 of where the part's lines are, so that transactions rarely meet:
    the counts of a day are the sum. `nth`: of the updates that one part needs.
    """
    spread = (int(digest[-8:], 16) + nth) % COUNT_SPREADS
    partition = spread % COUNT_PARTITIONS
    return {"pk": f"COUNT#{campaign}#{partition:02}", "sk": f"{day.isoformat()}#{spread:02}"}


def count_partitions(campaign: str) -> list[str]:
    """All partitions of the counts of a campaign; the first has those of 0.2.0, by day alone."""
    spread = [f"COUNT#{campaign}#{partition:02}" for partition in range(COUNT_PARTITIONS)]
    return [f"COUNT#{campaign}", *spread]


def counted_day(sk: str) -> date:
    """The local day of an item with counts."""
    return date.fromisoformat(sk.partition("#")[0])


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """What reads the values back from a key of `template`: the last one may hold any text."""
    names = re.findall(r"\{(\w+)", template)
    parts = iter(re.split(r"\{[^}]+\}", template))
    pattern = re.escape(next(parts))
    for name, constant in zip(names, parts, strict=True):
        pattern += f"(?P<{name}>{'.+' if name == names[-1] else '[^#]+'}){re.escape(constant)}"
    return re.compile(pattern, re.DOTALL)


def parts_of(kind: type[Entity], pk: str, sk: str) -> dict[str, str | int]:
    """The parts that an entity of `kind` with this primary key has: the inverse of `key_for`."""
    item_kind = ITEM_KINDS[kind]
    parts: dict[str, str | int] = {}
    for template, key in ((item_kind.pk, pk), (item_kind.sk, sk)):
        found = _pattern(template).fullmatch(key)
        if found is None:
            raise ValueError(f"not the key of a {item_kind.kind}")
        for name, value in found.groupdict().items():
            parts[name] = int(value) if f"{{{name}:" in template else value
    return parts


def former_agenda_key(name: Agenda, scope: str) -> str:
    """The one partition that an agenda had in the index `agenda`."""
    return f"{name.value}#{scope}" if scope else name.value


def due_partitions(name: Agenda, scope: str) -> Iterator[str]:
    """The partitions of an agenda in the index `due`."""
    return (f"{former_agenda_key(name, scope)}#{shard:02}" for shard in range(SHARDS[name]))


def due_until(until: datetime | None) -> str:
    """A sort key that comes after all entries of the moment `until` and before any later one."""
    return f"{moment(until)}$" if until else "~"


def due_keys(entry: AgendaEntry, key: Mapping[str, str]) -> dict[str, str]:
    """Where the index `due` lists the item with that primary key.

    The partition follows from the key, so an item stays in it for as long as it is on the agenda.
    So does what stands behind the moment, which keeps those of one moment apart: a whole day of
    invitations closes in the same second.
    """
    name, scope, at, mark = entry
    drawn = hashlib.sha256(f"{key['pk']}\n{key['sk']}".encode()).digest()
    position = [moment(at)[:10] if mark else moment(at), drawn[1:3].hex(), mark]
    return {
        "due_pk": f"{former_agenda_key(name, scope)}#{drawn[0] % SHARDS[name]:02}",
        "due_sk": "#".join(filter(None, position)),
    }


def mark_in(due_sk: str) -> str:
    """The mark of an entry; empty where it has none, as in the index `agenda`."""
    return due_sk.partition("#")[2].partition("#")[2]


# Random ids, the first of which says what an item is; a key may be a code.
_IDS = (
    "fact_id", "mail_id", "invitation_id", "voucher_id", "referral_id", "campaign", "position",
)  # fmt: skip


def name_of(item: Mapping[str, Mapping[str, Any]]) -> str:
    """How an item that cannot be read is named."""
    ids = (str(item[name].get("S", "")) for name in _IDS if name in item)
    return next(filter(None, ids), "")


def index_keys(entity: Entity) -> dict[str, str]:
    """The secondary-index attributes of `entity` as it is stored: none where it is in no index."""
    item_kind = ITEM_KINDS[type(entity)]
    keys: dict[str, str] = {}
    entry = item_kind.agenda(entity)
    if entry:
        keys |= due_keys(entry, key_of(entity))
    if item_kind.holder:
        keys |= {
            "holder_pk": f"HOLDER#{getattr(entity, item_kind.holder)}",
            "holder_sk": key_of(entity)["pk"],
        }
    return keys


def is_on(entity: Entity, name: Agenda, scope: str, until: datetime | None) -> bool:
    """Whether an entity is on an agenda by its own state, up to and including `until`."""
    entry = ITEM_KINDS[type(entity)].agenda(entity)
    if entry is None or (entry.agenda, entry.scope) != (name, scope):
        return False
    return until is None or moment(entry.at) <= moment(until)
