"""Facts about the campaign file and the client's lists."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.facts import FactBody, FactName, detail_stored_as


@dataclass(frozen=True, kw_only=True)
class CampaignPut(FactBody, name=FactName.CAMPAIGN_PUT):
    """A new version of the campaign file is in force."""

    version: int


@dataclass(frozen=True, kw_only=True)
class _ListBody(FactBody):
    list_name: str = detail_stored_as("list")


@dataclass(frozen=True, kw_only=True)
class ListAccepted(_ListBody, name=FactName.LIST_ACCEPTED):
    """A new version of a list is in force."""

    mode: str = "full"
    version: int
    rows: int
    base_version: int | None = None
    approved_by: str | None = detail_stored_as("released_by", default=None)


@dataclass(frozen=True, kw_only=True)
class ListConfirmed(_ListBody, name=FactName.LIST_CONFIRMED):
    """The list in force was dropped again: its age counts from that drop."""

    version: int


@dataclass(frozen=True, kw_only=True)
class ListWaits(_ListBody, name=FactName.LIST_WAITS):
    """A drop of digests to add or remove waits for its full list."""

    mode: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class ListRefused(_ListBody, name=FactName.LIST_REFUSED):
    """A dropped list was refused."""

    mode: str = "full"
    reason: str


@dataclass(frozen=True, kw_only=True)
class ListReview(_ListBody):
    """A held list, and what ops decided."""

    mode: str
    reason: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ListHeld(ListReview, name=FactName.LIST_HELD):
    """A dropped list exceeded a limit and waits for ops to decide."""


@dataclass(frozen=True, kw_only=True)
class ListApproved(ListReview, name=FactName.LIST_APPROVED):
    """Ops approved a held list; `by` is an AWS principal."""

    by: str


@dataclass(frozen=True, kw_only=True)
class ListRejected(ListReview, name=FactName.LIST_REJECTED):
    """Ops rejected a held list."""

    by: str


@dataclass(frozen=True, kw_only=True)
class ListRolledBack(_ListBody, name=FactName.LIST_ROLLED_BACK):
    """Ops put the content of an earlier version in force again, as a new version."""

    version: int
    base_version: int
    rows: int
    by: str
