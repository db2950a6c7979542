"""The campaign file's rules, and its days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.vouchers import valid_until
from tests.fakes.campaign import campaign, templates
from tests.fakes.ports import MORNING

ZONES = ["Europe/Paris", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "Pacific/Apia",
         "America/Sao_Paulo", "Asia/Beirut", "America/Havana", "UTC"]  # fmt: skip
DST = {
    "the spring change": (datetime(2026, 3, 28, 12, tzinfo=UTC), "2026-03-29T21:59:59+00:00"),
    "the autumn change": (datetime(2026, 10, 24, 12, tzinfo=UTC), "2026-10-25T22:59:59+00:00"),
    "after local midnight": (datetime(2026, 7, 1, 22, 30, tzinfo=UTC), "2026-07-03T21:59:59+00:00"),
}  # fmt: skip


@pytest.mark.parametrize(("issued_at", "ends"), DST.values(), ids=DST)
def test_law_11_a_voucher_of_one_day_ends_with_the_next_local_day(
    issued_at: datetime, ends: str
) -> None:
    assert valid_until(campaign(), issued_at, 1).isoformat() == ends


@pytest.mark.parametrize(("issued_at", "ends"), DST.values(), ids=DST)
def test_law_11_breaks_when_days_are_those_of_utc(
    issued_at: datetime, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_utc(_: Campaign, day: date) -> datetime:
        return datetime.combine(day, time(23, 59, 59), tzinfo=UTC)

    monkeypatch.setattr(Campaign, "end_of_day", in_utc)
    assert valid_until(campaign(), issued_at, 1).isoformat() != ends


def test_law_11_breaks_when_a_day_is_24_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_hours(one: Campaign, day: date) -> datetime:
        midnight = datetime.combine(day, time.min, tzinfo=one.zone).astimezone(UTC)
        return midnight + timedelta(hours=24, seconds=-1)

    monkeypatch.setattr(Campaign, "end_of_day", in_hours)
    issued_at, ends = DST["the autumn change"]
    assert valid_until(campaign(), issued_at, 1).isoformat() != ends


@given(zone=st.sampled_from(ZONES), day=st.dates(date(2015, 1, 1), date(2035, 1, 1)))
def test_law_11_the_last_second_of_a_day_is_in_it_and_the_next_is_not(zone: str, day: date) -> None:
    one = campaign(time_zone=zone)
    end = one.end_of_day(day)
    assert end.tzinfo is UTC
    assert one.local_date(end) == day
    assert one.local_date(end + timedelta(seconds=1)) == day + timedelta(days=1)


@given(zone=st.sampled_from(ZONES), day=st.dates(date(2015, 1, 1), date(2035, 1, 1)))
def test_the_first_moment_of_a_day_is_in_it_and_the_one_before_is_not(zone: str, day: date) -> None:
    one = campaign(time_zone=zone)
    start = one.start_of_day(day)
    assert start.tzinfo is UTC
    assert one.local_date(start) == day
    assert one.local_date(start - timedelta(microseconds=1)) == day - timedelta(days=1)


def test_a_campaign_is_open_from_its_first_to_its_last_local_moment() -> None:
    one = campaign(starts_on="2026-03-02", ends_on="2026-03-02")
    paris = ZoneInfo("Europe/Paris")
    first = datetime(2026, 3, 2, tzinfo=paris)
    last = datetime(2026, 3, 2, 23, 59, 59, 999999, tzinfo=paris)
    assert one.is_open(first)
    assert one.is_open(last)
    assert not one.is_open(first - timedelta(microseconds=1))
    assert not one.is_open(last + timedelta(microseconds=1))


def test_an_invitation_closes_after_its_days_or_with_the_campaign() -> None:
    assert campaign().closes_at(MORNING).isoformat() == "2026-03-16T22:59:59+00:00"
    short = campaign(ends_on="2026-03-05")
    assert short.closes_at(MORNING) == short.end_of_day(date(2026, 3, 5))


def test_a_locale_the_campaign_does_not_speak_falls_back_to_its_first() -> None:
    one = campaign()
    assert [one.locale_for(locale) for locale in ("en", "de", None)] == ["en", "fr", "fr"]
    assert one.text({"fr": "oui"}, "en") == "oui"


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"ends_on": "2025-12-31"}, "must not be before starts_on"),
        ({"starts_on": 2026}, "must be a day"),
        ({"time_zone": "Europe/Lutece"}, "unknown time zone"),
        ({"title": {"fr": "x"}}, "title: no text for locale en"),
        ({"colour": "red"}, "Extra inputs"),
        ({"digests": {"key_ids": ["k1", "tandem"]}}, "digests.key_ids: tandem is reserved"),
        ({"channels": ["fax"]}, "'email' or 'link'"),
        ({"rules": [{"id": "a1", "when": "order_kept", "issue": "gold", "to": "referee"}]},
         "rules.0.issue: no voucher template named gold"),
        ({"templates": templates(welcome={"not_with": ["gold"]})},
         "templates.welcome.not_with: no voucher template named gold"),
        ({"templates": templates(welcome={"not_with": ["thank-you", "thank-you"]})},
         "templates.welcome.not_with: thank-you is listed twice"),
        ({"rules": [{"id": "a1", "when": "order_kept", "issue": "welcome", "to": "referee"}] * 2},
         "rules.1.id: a1 is used twice"),
        ({"rules": [{"id": "a1", "when": "referral_confirmed", "if": {"order": 1},
                     "issue": "welcome", "to": "referee"}]},
         "a rule for referral_confirmed has no conditions"),
        ({"rules": [{"id": "a1", "when": "voucher_redeemed",
                     "if": {"order": 1, "template": "welcome"},
                     "issue": "thank-you", "to": "sponsor"}]},
         "a rule for voucher_redeemed does not count orders"),
        ({"rules": [{"id": "a1", "when": "voucher_redeemed", "issue": "welcome", "to": "sponsor"}]},
         "rules.0.if.template: redeeming welcome would grant welcome again"),
        ({"rules": [{"id": "a1", "when": "voucher_redeemed", "if": {"template": "welcome"},
                     "issue": "thank-you", "to": "sponsor"},
                    {"id": "a2", "when": "voucher_redeemed", "if": {"template": "thank-you"},
                     "issue": "welcome", "to": "sponsor"}]},
         "rules.1.if.template: redeeming welcome would grant welcome again"),
        ({"rules": [{"id": "a1", "when": "order_kept", "if": {"template": "gold"},
                     "issue": "welcome", "to": "referee"}]},
         "rules.0.if.template: no voucher template named gold"),
        ({"rules": [{"id": "a1", "when": "order_kept", "issue": "welcome", "to": "referee",
                     "if": {"minimum_days": 8, "maximum_days": 7}}]},
         "rules.0.if.maximum_days: must not be below minimum_days"),
        ({"give_back_voucher": ["returned", "returned"]},
         "give_back_voucher: returned is listed twice"),
        ({"templates": {"welcome": {"prefix": "WE", "value": "1.005", "valid_days": 1}}},
         "at most two decimals"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_reason(change: dict[str, object], reported: str) -> None:
    with pytest.raises(ValidationError, match=reported.replace(".", r"\.")):
        campaign(**change)
