"""What ends with its campaign follows the campaign's last day when a new version moves it.

Addresses, mailed tokens and mails end some time after that day, and no invitation is open longer;
its token ends some time after its own closing day, and only gets earlier too.
Their dates are stored, because AWS removes items by a stored date. So, after a version with another
last day, the table is read once, page by page, and what has the date of an earlier version gets
that of the version in force: later for a prolonged campaign, earlier for one that is ended early.
Until then the pages judge an invitation by the campaign in force (`within_campaign`).

    put ─► (functions forget the version before) ─► pages of the table, some a run ─► followed
                                                    └─ where it stopped is stored

An invitation is never open longer than its mail promised: its closing day only gets earlier. What
ends by itself (sign-ins, sessions) has no date of a version, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.entity import Entity
from chalicelib.domain.invitations import Invitation, within_campaign
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact, Token, TokenPurpose
from chalicelib.services.ports import ConflictError, ContentionError, Ports, Replace
from chalicelib.services.retry import retry_on_conflict

# Longer than a function runs and caches a campaign: nothing is stored with an earlier date then.
SETTLED_AFTER = timedelta(minutes=20)
TOGETHER = 50  # items in one transaction

_KEYS: dict[type[Entity], tuple[str, ...]] = {
    Contact: ("contact_id",),
    Token: ("token_hash",),
    Mail: ("mail_id",),
    Invitation: ("sponsor_id", "invitation_id"),
}


@dataclass(frozen=True)
class EndsProgress:
    """Items that follow now, those that could not be read or written, and whether that was all."""

    moved: int = 0
    failed: int = 0
    complete: bool = False


def move_ends(ports: Ports, entry: CurrentCampaign, until: datetime) -> EndsProgress:
    """Go on with the work until `until`, at least by one page; reads nothing if all follow."""
    if entry.ends_followed == entry.version:
        return EndsProgress(complete=True)
    current = ports.repository.get(CurrentCampaign, campaign=entry.campaign)
    if current is None or ports.clock() - current.put_at < SETTLED_AFTER:
        return EndsProgress()
    moving = _Moving(ports, current.document)
    after, is_last = current.ends_after, False
    while not is_last:
        page = ports.repository.page(tuple(_KEYS), current.campaign, after)
        moving.follow(page.entities)
        moving.unreadable += page.unreadable
        after, is_last = page.next, page.next is None
        if ports.clock() >= until:
            break
    left = current.ends_left + moving.left
    complete = is_last and not left
    noted = replace(
        current,
        ends_followed=current.version if complete else current.ends_followed,
        ends_after=after,
        ends_left=0 if is_last else left,  # after the last page: again from the first one
    )
    is_noted = _note(ports, noted)
    return EndsProgress(moving.moved, moving.left + moving.unreadable, complete and is_noted)


class _Moving:
    """The work on one campaign, and what has been done."""

    def __init__(self, ports: Ports, campaign: Campaign) -> None:
        self._ports, self._campaign = ports, campaign
        versions = ports.repository.within(CampaignVersion, campaign=campaign.id)
        self._earlier = {version.document.contact_ends_at() for version in versions}
        self.moved = self.left = self.unreadable = 0

    def follow(self, entities: Sequence[Entity]) -> None:
        """Let those that do not follow yet do so: together, and one by one where that fails."""
        pairs = [(one, self._followed(one)) for one in entities]
        changed = [followed for one, followed in pairs if followed != one]
        for start in range(0, len(changed), TOGETHER):
            together = changed[start : start + TOGETHER]
            try:
                self._ports.repository.commit(*map(Replace, together))
                self.moved += len(together)
            except (ConflictError, ContentionError):
                for one in together:
                    self._follow_alone(one)

    def _follow_alone(self, entity: Entity) -> None:
        try:
            self.moved += self._read_and_follow(entity)
        except ContentionError:
            self.left += 1

    @retry_on_conflict
    def _read_and_follow(self, entity: Entity) -> bool:
        kind = type(entity)
        stored = self._ports.repository.get(
            kind, **{name: getattr(entity, name) for name in _KEYS[kind]}
        )
        if stored is None or (followed := self._followed(stored)) == stored:
            return False
        self._ports.repository.commit(Replace(followed))
        return True

    def _followed(self, entity: Entity) -> Entity:
        return followed(self._campaign, self._earlier, entity)


def followed(campaign: Campaign, earlier: Collection[datetime], entity: Entity) -> Entity:
    """`entity` with the dates it has under `campaign`; `earlier` are the ends of its versions."""
    match entity:
        case Invitation():
            return within_campaign(campaign, entity)
        case Token(purpose=TokenPurpose.INVITATION):
            return replace(entity, ends_at=min(entity.ends_at, campaign.contact_ends_at()))
        case Contact() | Token() | Mail() if entity.ends_at in earlier:
            return replace(entity, ends_at=campaign.contact_ends_at())
        case _:
            return entity


def _note(ports: Ports, noted: CurrentCampaign) -> bool:
    """Store how far the work is; False when another version was put meanwhile."""
    try:
        ports.repository.commit(Replace(noted))
    except ConflictError:
        return False  # the next run does it again, for the version in force then
    return True
