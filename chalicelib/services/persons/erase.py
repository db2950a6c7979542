"""Forgetting a person: nothing that is left says who she was.

    words about consent go to the client ── objection under our own key ── sponsor and invitations
        ── everything else that names her ── claims, last of all

What the books rest on stays with a random id in the place of each digest: the sponsor's own id, or
that of the referral. Vouchers keep their worth; nobody is mailed about them. Claims go last,
because they lead from the address to everything else: a run that was killed is repeated, finds
what is left, and ends in the same state. When all is done the table is read once more, so that
work that was under way is found too; a later run finds nothing. Two may go on at once: the request
that she has confirmed herself is left by the other one until nothing else is.

Each step is one transaction on the revision that was read. Work that holds her address meanwhile
meets it: the sponsor, the invitation and the referral are changed first, and where a mail was not
leased yet, an item in its place keeps it from leaving.

Files of `out/` are not rewritten; the receipt says until when one has her digest (`left_files.py`).
What becomes of each kind of item is in `kinds.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import (
    Consent,
    ConsentChange,
    ConsentSource,
    is_given_here,
)
from chalicelib.domain.consents_files import (
    ConsentsFile,
    ConsentsPart,
)
from chalicelib.domain.entity import Entity
from chalicelib.domain.erasure import ErasureReceipt
from chalicelib.domain.exports import (
    Export,
    ExportPart,
    ExportState,
    reopened,
)
from chalicelib.domain.fact_bodies import PersonErased
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import (
    Invitation,
)
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import (
    Contact,
    Opposition,
    OppositionScope,
    Sponsor,
    Token,
    oppositions,
    widest,
    with_used_up,
)
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.cipher_ports import UnusableKeyError
from chalicelib.services.consent_words import Person as WhoseWord
from chalicelib.services.consent_words import consent_withdrawal
from chalicelib.services.consents.write import write_consents
from chalicelib.services.digests import digests_of
from chalicelib.services.errors import RetryLaterError, WaitsFor
from chalicelib.services.persons.find import Names, Person, find_person
from chalicelib.services.persons.kinds import ERASED, Forgotten
from chalicelib.services.persons.left_files import LeftFiles
from chalicelib.services.ports import (
    Change,
    ConflictError,
    Insert,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.vouchers.export import export_vouchers, is_left_unwritten

# Each of them finds what came while the one before was under way.
ROUNDS = 10
# The bucket's own rule for what the client dropped (infra/resources.yaml).
DROPPED_KEPT_DAYS = 30


def erase_person(
    ports: Ports,
    campaigns: Sequence[Campaign],
    address: Address,
    *,
    request: str | None = None,
    dry_run: bool = False,
) -> ErasureReceipt:
    """Forget who has this address, in the campaigns, which are of one brand; with `dry_run` only
    look. `request` is the contact of the request that asked for it, which goes last. Safe to
    repeat, also after a kill. `RetryLaterError` when others' work kept coming between.
    """
    person = find_person(ports, campaigns, address, request)
    receipt = _Erasure(ports, person, dry_run=dry_run).run()
    if request is not None:
        _end_request(person, request)
    return receipt


@retry_on_conflict
def _end_request(person: Person, request: str) -> None:
    """What was typed for it and its links go together: they say that it is under way until it is
    done.
    """
    contact = person.ports.repository.get(Contact, contact_id=request)
    if contact:
        person.ports.repository.commit(Remove(contact), *map(Remove, person.links))


def erase_again(ports: Ports, campaign: Campaign, body: PersonErased) -> None:
    """Forget somebody once more, by the random ids that a fact has: the table was restored to a
    moment before it. No fact says so again. Safe to repeat. `RetryLaterError`.
    """
    invitations = {body.invitation_id} if body.invitation_id else set()
    referrals = {body.referral_id} if body.referral_id else set()
    names = Names(
        sponsors=set() if invitations else {body.sponsor_id},
        invitations=invitations,
        referrals=referrals,
    )
    person = Person(ports, [campaign], None, names)
    person.look()
    _Erasure(ports, person, is_again=True).run()


@dataclass
class _Erasure(Forgotten):
    dry_run: bool = False
    removed: Counter[str] = field(default_factory=Counter)
    made_nameless: Counter[str] = field(default_factory=Counter)
    counted: list[Entity] = field(default_factory=list)
    done: int = 0
    met_another: bool = False

    @cached_property
    def _files(self) -> LeftFiles:
        return LeftFiles(self.ports, self.person)

    def run(self) -> ErasureReceipt:
        """Erase, and look again until nothing is left."""
        for _ in range(ROUNDS):
            self._files.note()
            before, self.met_another = self.done, False
            self._round()
            if self.dry_run or (self.done == before and not self.met_another):
                self._end_requests()
                if not self.met_another:
                    return self._receipt()
            self.person.look()
        raise RetryLaterError(WaitsFor.OTHER_WORK)

    def _receipt(self) -> ErasureReceipt:
        ports, names = self.ports, self.person.names
        [first, *_] = self.person.campaigns
        today = first.local_date(ports.clock())
        return ErasureReceipt(
            campaigns=tuple(campaign.id for campaign in self.person.campaigns),
            at=ports.clock(),
            dry_run=self.dry_run,
            removed=dict(sorted(self.removed.items())),
            made_nameless=dict(sorted(self.made_nameless.items())),
            random_ids=tuple(sorted(names.sponsors | names.referrals)),
            live_vouchers=self._files.live_vouchers,
            opposed=bool(self.removed or self.made_nameless),
            files=tuple(self._files),
            dropped_files_end_on=today + timedelta(days=DROPPED_KEPT_DAYS),
            unreadable=self.person.unreadable,
        )

    # --- a round ----------------------------------------------------------------------------------

    def _round(self) -> None:
        if not self._has_anything():
            return
        self._send_consents()
        self._oppose()
        self._exports()
        for kind in ERASED:
            if self.met_another:
                return  # what leads to it must stay until it is done
            self._each(kind)

    def _end_requests(self) -> None:
        """End other requests of hers to be erased, each with its links: one may be under way."""
        for request in self.person.requests():
            self._commit([Remove(one) for one in self.person.found if _is_of(request, one)])

    def _has_anything(self) -> bool:
        """Whether something names her but for the objection that stays."""
        own = self.person.names.own
        return any(
            not isinstance(one, Opposition) or one.digest not in own for one in self.person.found
        )

    def _each(self, kind: type[Entity]) -> None:
        """Erase everything of a kind that was found, each in its own transaction."""
        for entity in [one for one in self.person.found if type(one) is kind]:
            changes, facts = ERASED[kind](self, entity)
            self._commit(changes, facts)

    def _commit(self, changes: Sequence[Change], facts: Sequence[Fact] = ()) -> None:
        if not changes:
            return
        if not self.dry_run:
            try:
                self.ports.repository.commit(*changes, facts=facts)
            except ConflictError:
                self.met_another = True  # the next round finds it as it is then
                return
        self.done += 1
        for change in changes:
            if change.entity in self.counted:
                continue  # by a dry run, which has removed nothing
            self.counted.append(change.entity)
            name = re.sub(r"(?<=.)([A-Z])", r"_\1", type(change.entity).__name__).lower()
            if isinstance(change, Remove):
                self.removed[name] += 1
            elif isinstance(change, Replace) and type(change.entity) in _NAMELESS:
                self.made_nameless[name] += 1

    # --- the brand: consent, objection ------------------------------------------------------------

    def _send_consents(self) -> None:
        """Withdraw what she has agreed to here, and let the client know before we forget it: it has
        to stop its news too. Then no word of hers waits in the table.
        """
        given_here = next(filter(is_given_here, self.person.consents()), None)
        if given_here:
            self._end_consent(given_here)
        waiting = set(self._waiting_for_file())
        if self.dry_run or not waiting:
            return
        for name in sorted(waiting):
            # Others' words that cannot be read wait; `export` names them.
            write_consents(self.ports, self.person.by_id[name], lambda _: None)
        self.person.look()
        self._files.note()

    def _end_consent(self, given: Consent) -> None:
        address = self.person.address
        if address is None:
            return
        # Where the client has read that she agreed, it reads that she does not any more.
        campaign = self.person.by_id.get(given.campaign, self.person.campaigns[0])
        whose = WhoseWord(digests_of(self.ports, campaign, address), *self._ids())
        changes, facts = consent_withdrawal(self.ports, campaign, whose, ConsentSource.ERASURE)
        self._commit(changes, facts)
        self.person.look()

    def _ids(self) -> tuple[str | None, str | None, str | None]:
        """The ids of the person that the fact of a word has."""
        names = self.person.names
        referred = [one for one in self.person.found if type(one) is Referral]
        for one in referred:
            if one.referral_id in names.referrals:
                return one.sponsor_id, one.invitation_id, one.referral_id
        return next(iter(sorted(names.sponsors)), None), None, None

    def _waiting_for_file(self) -> Iterator[str]:
        """The campaigns with a word of hers in the table that is in no file of `out/` yet."""
        for one in self.person.found:
            match one:
                case ConsentChange():
                    yield one.campaign
                case ConsentsPart():
                    file = self.ports.repository.get(
                        ConsentsFile, campaign=one.campaign, number=one.number
                    )
                    if file is None or file.state is not ExportState.WRITTEN:
                        yield one.campaign
                case _:
                    pass

    def _oppose(self) -> None:
        """Keep an objection under our own key alone, so that nobody can have her invited again, and
        that forgetting a sponsor begins no cap again.
        """
        ports, own = self.ports, self.person.names.own
        recorded = self.person.oppositions()
        scope = widest(one.scope for one in recorded) or OppositionScope.INVITATIONS
        first = min((one.recorded_at for one in recorded), default=ports.clock())
        mine = [one for one in recorded if one.digest in own]
        wanted = oppositions(self.person.brand, sorted(own), mine, first, scope)
        after = {one.digest: one for one in (*mine, *wanted)}
        used_up = [with_used_up(one, self.person.sponsors()) for one in after.values()]
        changes: list[Change] = [
            Replace(one) if one.revision else Insert(one) for one in used_up if one not in mine
        ]
        changes += [Remove(one) for one in recorded if own and one.digest not in own]
        self._commit(changes)

    # --- exports ----------------------------------------------------------------------------------

    def _exports(self) -> None:
        """Take the digests out of what the files of exports are made of. Those of a file that is
        being written are left until it is there: every attempt must make the same file (law 5).
        """
        exported: dict[tuple[str, int], dict[str, Voucher]] = {}
        for one in self.person.found:
            if isinstance(one, Voucher) and self.person.names.hold(one) and one.export is not None:
                exported.setdefault((one.campaign, one.export), {})[one.code_key] = one
        for (campaign, number), held in exported.items():
            self._export(campaign, number, held)

    def _complete(self, export: Export) -> None:
        """Have the file of a sealed export written. Where the client's key cannot be used nobody
        has seen one: then it is opened again, and she goes out of what it will be made of.
        """
        try:
            campaign = self.person.by_id[export.campaign]
            export_vouchers(self.ports, campaign, until=self.ports.clock())
        except UnusableKeyError:
            if is_left_unwritten(self.ports, export):
                self._commit([Replace(reopened(export))])

    def _export(self, campaign: str, number: int, held: Mapping[str, Voucher]) -> None:
        repository = self.ports.repository
        export = repository.get(Export, campaign=campaign, number=number)
        if export and export.state is ExportState.SEALED and not self.dry_run:
            self._complete(export)
            export = repository.get(Export, campaign=campaign, number=number)
            if export and export.state is ExportState.SEALED:
                raise RetryLaterError(WaitsFor.OTHER_WORK)  # until one of the two can be done
        for voucher in held.values():
            self._files.note_export(voucher)  # it may have been written since the round began
        for part in repository.within(ExportPart, campaign=campaign, number=number):
            nameless = _without_digests(part, held)
            if nameless != part:
                is_open = export is not None and export.state is ExportState.OPEN
                # Nobody may begin to write the file from the parts as they were.
                still = [Replace(export)] if export and is_open else []
                self._commit([Replace(nameless), *still])


def _is_of(request: str, one: Entity) -> bool:
    return isinstance(one, Contact | Token) and one.contact_id == request


def _without_digests(part: ExportPart, held: Mapping[str, Voucher]) -> ExportPart:
    """The part with the holder's random id in the rows of these vouchers, by their codes."""
    at = part.columns.index("holder_digest")
    rows = tuple(
        (*row[:at], held[code].holder_id, *row[at + 1 :]) if code in held else row
        for code, row in zip(part.codes, part.rows, strict=True)
    )
    return replace(part, rows=rows)


# What the receipt counts as kept without a name.
_NAMELESS = frozenset((Sponsor, Invitation, Referral, Voucher, Mail))
