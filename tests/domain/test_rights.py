"""What people may ask of us: how often, for how long, and what they and the client get to know."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib.domain.addresses import Address, AddressDigests, DigestKey
from chalicelib.domain.consents import client_digest
from chalicelib.domain.erasure import ErasureReceipt, FileLeft
from chalicelib.domain.mailed_links import pause_after
from chalicelib.domain.people import Contact
from chalicelib.domain.privacy import PrivacyLink, Wish, next_privacy_link
from chalicelib.domain.tokens import unsubscribe_token
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.ports import MORNING

ADDRESS = Address.parse("Jeanne@example.fr")
DIGESTS = AddressDigests.of(
    ADDRESS, [DigestKey(name, secret=name.encode()) for name in ("k1", "k2")]
)


@pytest.mark.parametrize(
    ("mailed", "a_day", "minutes"),
    [
        (1, 3, 10),
        (2, 3, 40),
        (3, 3, 1440),
        (9, 3, 1440),
        (1, 1, 1440),
        (3, 100, 160),
        (4, 100, 640),
        (5, 100, 1440),
        (1000, 100_000, 1440),
    ],
)
def test_the_pause_grows_to_a_day_and_no_further(mailed: int, a_day: int, minutes: int) -> None:
    """However many mails nobody used, and however many a campaign allows."""
    assert pause_after(mailed, a_day) == timedelta(minutes=minutes)


def test_law_12_requests_for_data_are_mailed_three_times_and_then_once_a_day() -> None:
    last: PrivacyLink | None = None
    pauses = []
    for number in range(3):
        contact = Contact(
            contact_id=f"{number:032x}",
            campaign=CAMPAIGN,
            address=ADDRESS,
            locale="fr",
            ends_at=MORNING + timedelta(days=3),
        )
        last = next_privacy_link("demo", "d" * 64, contact, Wish.EXPORT, last, MORNING)
        pauses.append(last.waits_until - MORNING)
    assert pauses == [timedelta(minutes=10), timedelta(minutes=40), timedelta(days=1)]


@pytest.mark.parametrize("hours", [1, 24 * 90])
def test_who_got_a_mail_may_object_for_sixty_days_however_soon_addresses_end(hours: int) -> None:
    ends = campaign().contact_ends_at()
    now = ends - timedelta(hours=hours)
    token = unsubscribe_token("text", campaign(), DIGESTS, now)
    assert token.ends_at == max(ends, now + timedelta(days=60))


def receipt(*days: datetime | None) -> ErasureReceipt:
    files = tuple(
        FileLeft(f"out/{number}.csv.gz", day.date() if day else None)
        for number, day in enumerate(days)
    )
    return ErasureReceipt(
        campaigns=(CAMPAIGN,),
        at=MORNING,
        dry_run=False,
        removed={},
        made_nameless={},
        random_ids=(),
        live_vouchers=0,
        opposed=True,
        files=files,
        dropped_files_end_on=MORNING.date(),
    )


def test_as_long_as_one_file_waits_for_its_acknowledgement_no_day_is_the_last() -> None:
    later = MORNING + timedelta(days=9)
    assert receipt(MORNING, later).files_end_on == later.date()
    assert receipt(MORNING, None, later).files_end_on is None
    assert receipt().files_end_on is None


def test_the_client_is_given_the_digest_under_the_key_it_uses_first_today() -> None:
    first, second = DIGESTS.pairs
    assert first.exact != second.exact
    assert client_digest(DIGESTS, "k2") == second.exact
    assert client_digest(DIGESTS, "k1") == first.exact
    assert client_digest(DIGESTS, "new") == first.exact
