"""What is known already is not read, written or done again: pinned by the calls that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from chalicelib.domain.facts import Fact
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.campaigns.cached import CACHED_FOR, CachedCampaigns
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.digests import complete_sponsor
from chalicelib.services.journal import miscounts
from chalicelib.services.lookups import CampaignVersions, campaign_of_version, referee_of
from chalicelib.services.mails.ses_events import EventKind, MailEvent, settle_mail
from chalicelib.services.operations import reconciliation
from chalicelib.services.operations.rekey import rekey, rekey_referral
from chalicelib.services.operations.seal import seal
from chalicelib.services.ports import Agenda, Ports
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.due import work_off_all
from tests.fakes.repository import RecordingRepository
from tests.fakes.till import Till
from tests.fakes.world import World, wrapped
from tests.services.test_key_rotation import listed, three_to_rekey
from tests.services.test_reconciliation import store, till, with_column_voucher
from tests.services.test_seal import assert_sealed, recorded
from tests.services.test_send import accepted, released, send

__all__ = ["accepted", "released", "till"]  # fixtures

NEWCOMER = "jeanne@example.fr"


def recording(world: World) -> tuple[Ports, list[str]]:
    """The world's ports, and what is read and stored with them."""
    repository = RecordingRepository(world.repository)
    return wrapped(world, lambda _: repository), repository.calls


def reads_of_files(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that are read from now on."""
    paths: list[str] = []
    read = world.files.read

    def noted(path: str, version: str | None = None) -> Iterator[bytes]:
        paths.append(path)
        return read(path, version)

    monkeypatch.setattr(world.files, "read", noted)
    return paths


# --- the campaign file ----------------------------------------------------------------------------


def test_a_campaign_is_read_once_in_five_seconds(world: World) -> None:
    ports, calls = recording(world)
    cached = CachedCampaigns(ports.repository, world.clock)
    for _ in range(3):
        assert cached.get(CAMPAIGN) == world.campaign
        world.clock.advance(seconds=1)
    assert calls == ["get CurrentCampaign"]
    world.clock.advance(seconds=CACHED_FOR.total_seconds())
    assert cached.get(CAMPAIGN) == world.campaign
    assert calls == ["get CurrentCampaign"] * 2


def test_of_several_campaigns_only_those_are_read_that_are_not_known(world: World) -> None:
    put_campaign(world.ports, campaign(campaign="other"))
    ports, calls = recording(world)
    cached = CachedCampaigns(ports.repository, world.clock)
    assert cached.get(CAMPAIGN)
    put_campaign(world.ports, campaign(ends_on="2026-11-30"))
    found = cached.get_many([CAMPAIGN, "other"])
    assert {name: one.ends_on for name, one in found.items()} == {
        CAMPAIGN: date(2026, 12, 31), "other": date(2026, 12, 31)
    }  # fmt: skip
    assert cached.get_many(["other"]).keys() == {"other"}
    assert calls == ["get CurrentCampaign", "get_many CurrentCampaign"]


def test_the_version_in_force_is_not_read_as_one_of_before(world: World) -> None:
    in_force = world.campaign
    ports, calls = recording(world)
    assert campaign_of_version(ports, CAMPAIGN, in_force.version) == in_force
    assert calls == []


def test_an_earlier_version_is_read_once_for_one_piece_of_work(world: World) -> None:
    before = world.campaign
    put_campaign(world.ports, campaign(ends_on="2026-11-30"))
    world.clock.advance(minutes=1)
    ports, calls = recording(world)
    versions = CampaignVersions(ports, CAMPAIGN)
    for _ in range(2):
        assert versions.of(before.version, world.clock()) == before
    assert calls == ["get CampaignVersion"]


def test_for_what_happened_since_the_last_version_no_other_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_campaign(world.ports, campaign(ends_on="2026-11-30"))
    put_at = world.clock()
    world.clock.advance(minutes=1)
    versions = CampaignVersions(world.ports, CAMPAIGN)
    monkeypatch.setattr(world.repository, "within", must_not_be_read)
    assert versions.at(put_at) == versions.at(world.clock()) == world.campaign


def must_not_be_read(*_: object, **__: object) -> None:
    raise AssertionError("every version was read")


def test_digests_that_name_their_algorithm_ask_for_no_campaign_file(world: World) -> None:
    referral = world.referral(NEWCOMER)
    ports, calls = recording(world)
    assert referee_of(ports, referral) == referral.referee
    assert calls == []


# --- digests --------------------------------------------------------------------------------------


def test_whoever_has_every_digest_is_not_looked_up_to_complete_them(world: World) -> None:
    world.sponsor()
    [sponsor] = world.memory.all(Sponsor)
    ports, calls = recording(world)
    assert complete_sponsor(ports, world.campaign, sponsor) == (sponsor, [])
    assert calls == []


def test_without_an_address_a_sponsor_with_too_few_digests_stays_as_it_is(world: World) -> None:
    world.sponsor()
    [sponsor] = world.memory.all(Sponsor)
    put_campaign(world.ports, campaign(digests={"key_ids": ["k2", "k1"]}))
    world.clock.advance(minutes=1)
    ports, calls = recording(world)
    gone = replace(sponsor, contact_id="gone")
    assert complete_sponsor(ports, world.campaign, gone) == (gone, [])
    assert calls == ["get Contact"]


def test_a_referral_that_was_completed_since_it_was_handed_out_is_not_stored_again() -> None:
    world = three_to_rekey()
    world.clock.advance(hours=1)
    entries = [
        entry
        for stretch in world.repository.stretches(Agenda.REFERRALS, CAMPAIGN)
        for entry in world.repository.entries(Referral, stretch)
    ]
    rekey(world.ports, listed(world))
    work_off_all(world.ports)
    before = world.memory.all(Referral)
    assert [rekey_referral(world.ports, CAMPAIGN, entry) for entry in entries] == [None] * 3
    assert world.memory.all(Referral) == before


# --- mails ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bounced", "complained"])
def test_what_becomes_of_a_vouchers_mail_asks_for_no_stop_of_the_invitations(
    world: World, released: Fact, kind: EventKind
) -> None:
    send(world, released)
    [mail] = [one for one in world.memory.all(Mail) if one.voucher_id]
    ports, calls = recording(world)
    assert settle_mail(ports, MailEvent(kind, mail.mail_id, "ses-1")) == kind
    assert [call for call in calls if "InvitationStop" in call] == []


# --- the journal ----------------------------------------------------------------------------------


def test_law_10_counts_that_stayed_the_same_are_compared_with_one_reading_of_the_journal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = recorded()
    seal(world.ports)
    paths = reads_of_files(world, monkeypatch)
    assert miscounts(world.ports, world.campaign) == []
    assert paths
    assert len(paths) == len(set(paths))


def test_law_10_what_the_seal_has_written_itself_is_not_read_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = recorded()
    paths = reads_of_files(world, monkeypatch)
    assert seal(world.ports).parts > 0
    assert paths == []
    assert_sealed(world)


# --- the comparison of the table with the files ---------------------------------------------------


def test_a_voucher_that_agrees_with_the_files_is_not_read_again(till: Till) -> None:
    with_column_voucher(till)
    ports, calls = recording(till.world)
    assert till.world.reconciliation(ports) == 0
    assert "get_many Voucher" not in calls


def test_of_very_many_that_differ_so_many_are_in_memory_at_once(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "_KEYS_AT_ONCE", 2)
    with_column_voucher(till)
    for voucher in till.world.memory.all(Voucher):
        store(till, replace(voucher, value_minor=999))
    ports, calls = recording(till.world)
    assert till.world.reconciliation(ports) == 5
    assert calls.count("get_many Voucher") == 3


def test_the_report_that_a_run_has_written_is_not_read_back(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = reads_of_files(till.world, monkeypatch)
    assert till.world.reconciliation() == 0
    # Once, to see that there is none yet.
    assert len([path for path in paths if "/reports/" in path]) == 1
