"""A shared link as whoever opens it sees it, the page it shows, and the preview of a mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from chalicelib.adapters.pages import KEPT_FOR, PublishedPages
from chalicelib.domain.people import Contact, Session, Sponsor
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import ClosedError, InvalidError, UnauthorisedError, UnknownError
from chalicelib.services.mails.draft import Sender
from chalicelib.services.mails.preview import preview_invitation
from chalicelib.services.ports import Remove, Replace
from chalicelib.services.sponsors.shared_link import view_link, view_link_in
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.ports import SettableClock
from tests.fakes.world import World, new_world

FROM = Sender(address="no-reply@tandem.test", origin="https://tandem.test")
PICTURE = {"sha256": "c" * 64, "kind": "png", "width": 432, "height": 88}


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.fixture
def session(world: World) -> Session:
    return world.sponsor()


def the_sponsor(world: World) -> Sponsor:
    [sponsor] = world.memory.all(Sponsor)
    return sponsor


def the_contact(world: World) -> Contact:
    contact = world.repository.get(Contact, contact_id=the_sponsor(world).contact_id)
    assert contact
    return contact


def is_usable(world: World) -> bool:
    return view_link(world.ports, the_sponsor(world).link_code).is_usable


# --- the link -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("session")
def test_a_link_is_of_its_sponsor_and_of_its_campaign_alone(world: World) -> None:
    code = the_sponsor(world).link_code
    found = view_link_in(world.ports, CAMPAIGN, code)
    assert found.sponsor_name == the_contact(world).first_name
    assert found.is_usable
    with pytest.raises(UnknownError):
        view_link_in(world.ports, "another", code)
    with pytest.raises(UnknownError):
        view_link(world.ports, "nobodys")


@pytest.mark.usefixtures("session")
def test_the_link_of_a_sponsor_who_is_gone_is_unknown(world: World) -> None:
    sponsor = the_sponsor(world)
    world.repository.commit(Remove(sponsor))
    with pytest.raises(UnknownError):
        view_link(world.ports, sponsor.link_code)


@pytest.mark.usefixtures("session")
def test_a_link_is_usable_while_the_campaign_is_open(world: World) -> None:
    world.clock.now = world.campaign.end_of_day(world.campaign.ends_on) + timedelta(seconds=1)
    assert not is_usable(world)


@pytest.mark.usefixtures("session")
def test_a_link_is_not_usable_where_it_is_stopped_or_where_links_are_no_channel(
    world: World,
) -> None:
    sponsor = the_sponsor(world)
    most = world.campaign.quotas.problems_per_link
    world.repository.commit(Replace(replace(sponsor, link_problems=most)))
    assert not is_usable(world)
    world.repository.commit(Replace(replace(the_sponsor(world), link_problems=0)))
    assert is_usable(world)
    put(world, {"channels": ["email"]})
    assert not is_usable(world)


def put(world: World, changes: dict[str, object]) -> None:
    put_campaign(world.ports, campaign(**changes))
    world.clock.advance(minutes=1)  # the campaign before is cached


@pytest.mark.usefixtures("session")
def test_a_link_whose_sponsor_has_no_name_is_not_usable(world: World) -> None:
    world.repository.commit(Replace(replace(the_contact(world), first_name=None)))
    found = view_link(world.ports, the_sponsor(world).link_code)
    assert (found.sponsor_name, found.is_usable) == (None, False)


# --- the published page ---------------------------------------------------------------------------


class Bucket:
    """The client of S3, with one page in it; without one, what S3 says to who may not list."""

    def __init__(self) -> None:
        self.page: str | None = "first"
        self.asked = 0
        self.s3 = self

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, object]:  # noqa: N803
        self.asked += 1
        assert (Bucket, Key) == ("pages", "referee/index.html")
        if self.page is None:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")
        return {"Body": self}

    def read(self) -> bytes:
        return (self.page or "").encode()


def test_the_page_is_read_once_a_minute_and_the_last_one_kept() -> None:
    bucket, clock = Bucket(), SettableClock()
    pages = PublishedPages(bucket, "pages", clock)  # type: ignore[arg-type]
    assert [pages.referee_page(), pages.referee_page()] == ["first", "first"]
    assert bucket.asked == 1
    bucket.page = "second"
    clock.now += KEPT_FOR - timedelta(seconds=1)
    assert pages.referee_page() == "first"
    clock.advance(seconds=1)
    assert pages.referee_page() == "second"
    bucket.page = None
    clock.now += KEPT_FOR
    assert [pages.referee_page(), pages.referee_page()] == ["second", "second"]
    assert bucket.asked == 3
    assert timedelta(0) < KEPT_FOR <= timedelta(minutes=1)


def test_a_bucket_that_ends_a_call_is_not_asked_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lambda ends a call that waits for too long; the page of before is there for the others."""
    bucket, clock = Bucket(), SettableClock()
    pages = PublishedPages(bucket, "pages", clock)  # type: ignore[arg-type]
    assert pages.referee_page() == "first"
    clock.now += KEPT_FOR

    def waits(**_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(bucket, "get_object", waits)
    with pytest.raises(TimeoutError):
        pages.referee_page()
    assert pages.referee_page() == "first"


def test_a_page_that_was_never_there_is_none() -> None:
    bucket = Bucket()
    bucket.page = None
    assert PublishedPages(bucket, "pages", SettableClock()).referee_page() is None  # type: ignore[arg-type]


# --- the preview ----------------------------------------------------------------------------------


def test_a_preview_has_the_sponsors_name_the_language_and_no_picture_in_it(
    world: World, session: Session
) -> None:
    shown = preview_invitation(world.ports, FROM, session, "en", "Jeanne")
    name = the_contact(world).first_name
    assert name
    assert name in shown.subject
    assert "Jeanne" in shown.text
    assert shown.locale == "en"
    assert "cid:" not in shown.html


def test_the_logo_of_a_preview_is_at_the_pages_address(world: World, session: Session) -> None:
    brand = {**world.campaign.brand.model_dump(), "mail_logo": "logo.png"}
    put(world, {"brand": brand, "pictures": {"logo.png": PICTURE}})
    shown = preview_invitation(world.ports, FROM, session, "fr", None)
    assert f'src="/pictures/{CAMPAIGN}/{"c" * 32}.png"' in shown.html


def test_nothing_is_shown_to_who_is_erased_or_has_no_name(world: World, session: Session) -> None:
    contact = the_contact(world)
    world.repository.commit(Replace(replace(contact, first_name=None)))
    with pytest.raises(InvalidError) as refused:
        preview_invitation(world.ports, FROM, session, "fr", None)
    assert [problem.field for problem in refused.value.problems] == ["sponsor"]
    world.repository.commit(Remove(the_contact(world)))
    with pytest.raises(UnauthorisedError):
        preview_invitation(world.ports, FROM, session, "fr", None)


def test_nobody_is_greeted_by_the_name_of_the_brand(world: World, session: Session) -> None:
    with pytest.raises(InvalidError) as refused:
        preview_invitation(world.ports, FROM, session, "fr", world.campaign.brand.name)
    assert [problem.field for problem in refused.value.problems] == ["first_name"]


def test_there_is_no_preview_where_nobody_is_invited_by_mail(
    world: World, session: Session
) -> None:
    put(world, {"channels": ["link"]})
    with pytest.raises(ClosedError):
        preview_invitation(world.ports, FROM, session, "fr", None)
