"""Consents: given, withdrawn, delivered once, taken back from the client; the later word wins."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.consents import (
    WORDING,
    Consent,
    ConsentChange,
    ConsentSource,
    ConsentState,
    Word,
    ends_in_withdrawal,
    latest_word,
    own_digest,
    with_word,
)
from chalicelib.domain.consents_files import CONSENT_COLUMNS, ConsentsFile, ConsentsPart
from chalicelib.domain.fact_bodies import ConsentGiven, ConsentWithdrawal, body_as
from chalicelib.domain.facts import FactName
from chalicelib.domain.files.consents import COLUMNS
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.people import Opposition, OppositionScope
from chalicelib.domain.referrals import Referral
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.consents.write import write_consents
from chalicelib.services.errors import GoneError
from chalicelib.services.invitations.respond import confirm, end_consent, view_offer
from chalicelib.services.lookups import consents_of, is_opposed
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.objections.unsubscribe import unsubscribe
from tests.fakes.campaign import CAMPAIGN, campaign, digest
from tests.fakes.fuse import killed_everywhere
from tests.fakes.parts import work_off_parts
from tests.fakes.ports import MORNING
from tests.fakes.world import VIPS, World, new_world

NEWCOMER = "jeanne@gmail.com"
FOLDER = f"out/{CAMPAIGN}/consents/"
GIVEN, WITHDRAWAL = ConsentState.GIVEN, ConsentState.WITHDRAWAL
STATES = ("given", "withdrawn")


def consenting(world: World, address: str = NEWCOMER, *, consents: bool = True) -> Referral:
    """A referee who confirms, with or without the box."""
    world.invite(world.sponsor(first_name="Camille"), address)
    world.run()
    referral = confirm(world.ports, world.token_of(address), "1", consents)[0]
    world.run()
    return referral


def stop_token(world: World, address: str = NEWCOMER, position: int = 0) -> str:
    header = world.mailer.to(address)[position].message["List-Unsubscribe"]
    return str(header).strip("<>").rsplit("/", 1)[1]


def word_of(world: World, referral: Referral) -> Word | None:
    """The word that counts about a referee."""
    return latest_word(consents_of(world.ports, world.campaign, referral.referee.values))


def state_of(world: World, referral: Referral) -> ConsentState | None:
    word = word_of(world, referral)
    return word.state if word else None


def files(world: World) -> dict[str, list[dict[str, str]]]:
    """The rows of every file of consents, by its name."""
    return {
        path.removeprefix(FOLDER).removesuffix(".csv.gz"): list(
            csv.DictReader(gzip.decompress(content).decode().splitlines())
        )
        for path, content in sorted(world.files.under(FOLDER).items())
        if path.endswith(".csv.gz")
    }


def write(world: World, file_rows: int = 50_000) -> list[ConsentsFile]:
    return write_consents(world.ports, world.campaign, file_rows=file_rows)


def reported(world: World, *rows: tuple[str, str, datetime], file: str = "c") -> dict[str, int]:
    """The client drops a file; the effects of its receipt."""
    lines = [",".join(COLUMNS), *(f"{one},{state},{at.isoformat()}" for one, state, at in rows)]
    return dict(world.drop(f"consents/{file}.csv", "\n".join(lines).encode()).effects)


# --- given ---------------------------------------------------------------------------------------


def test_a_consent_keeps_when_and_to_which_texts_it_was_given(world: World) -> None:
    referral = consenting(world)
    [consent] = world.memory.all(Consent)
    assert consent.digest == own_digest(referral.referee)
    assert consent.given == Word(
        state=GIVEN,
        at=world.clock(),
        source=ConsentSource.CONFIRMATION,
        wording=WORDING,
        terms_version="1",
    )
    assert consent.withdrawal is None
    [fact] = world.facts(FactName.CONSENT_GIVEN)
    body = body_as(fact, ConsentGiven)
    assert (body.wording, body.terms_version, body.referral_id) == (
        WORDING,
        "1",
        referral.referral_id,
    )
    assert fact.subject == consent.consent_id


def test_without_the_box_nothing_is_agreed_to(world: World) -> None:
    consenting(world, consents=False)
    assert world.memory.all(Consent) == []
    assert world.facts(FactName.CONSENT_GIVEN) == []
    assert write(world) == []


def test_no_consent_is_in_the_journal_by_a_digest(world: World) -> None:
    referral = consenting(world)
    reported(world, (digest("other@example.fr"), "withdrawn", world.clock()))
    text = repr(world.facts())
    for one in (*referral.referee.values, digest("other@example.fr")):
        assert one not in text


# --- withdrawn -----------------------------------------------------------------------------------


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("scope", OppositionScope)
def test_each_mail_withdraws_it_with_one_press(
    world: World, position: int, scope: OppositionScope
) -> None:
    referral = consenting(world)
    export = world.export()
    assert export
    world.acknowledge(export.number)
    world.run()
    world.clock.advance(hours=1)
    for _ in range(2):
        unsubscribe(world.ports, stop_token(world, position=position), scope)
    word = word_of(world, referral)
    assert word
    assert (word.state, word.source, word.wording) == (
        WITHDRAWAL,
        ConsentSource.UNSUBSCRIBE,
        WORDING,
    )
    [fact] = world.facts(FactName.CONSENT_WITHDRAWAL)
    assert body_as(fact, ConsentWithdrawal).source is ConsentSource.UNSUBSCRIBE
    [consent] = world.memory.all(Consent)
    assert consent.given  # what was agreed to stays known


def test_the_page_withdraws_it_as_easily_and_stops_no_mail_about_vouchers(world: World) -> None:
    referral = consenting(world)
    token = world.token_of(NEWCOMER)
    assert view_offer(world.ports, token).has_consented
    for _ in range(2):
        world.clock.advance(minutes=1)
        assert end_consent(world.ports, token) == referral.correlation
    assert not view_offer(world.ports, token).has_consented
    word = word_of(world, referral)
    assert word
    assert word.source is ConsentSource.PAGE
    assert len(world.facts(FactName.CONSENT_WITHDRAWAL)) == 1
    assert world.memory.all(Opposition) == []


def test_what_the_client_withdraws_shows_on_the_page(world: World) -> None:
    consenting(world)
    world.clock.advance(minutes=1)
    reported(world, (digest(NEWCOMER), "withdrawn", world.clock()))
    assert not view_offer(world.ports, world.token_of(NEWCOMER)).has_consented


def test_nobody_ends_a_consent_before_a_confirmation(world: World) -> None:
    world.invite(world.sponsor(first_name="Camille"), NEWCOMER)
    world.run()
    with pytest.raises(GoneError):
        end_consent(world.ports, world.token_of(NEWCOMER))


@pytest.mark.parametrize("kind", ["invitation", "voucher"])
def test_a_complaint_withdraws_it(world: World, kind: str) -> None:
    referral = consenting(world)
    export = world.export()
    assert export
    world.acknowledge(export.number)
    world.run()
    [mail_id] = [one.mail_id for one in world.mailer.to(NEWCOMER) if one.mail_id.startswith(kind)]
    settle_mail(world.ports, MailEvent("complained", mail_id, "ses-9"))
    assert state_of(world, referral) is WITHDRAWAL
    [fact] = world.facts(FactName.CONSENT_WITHDRAWAL)
    body = body_as(fact, ConsentWithdrawal)
    assert (body.source, body.invitation_id) == (
        ConsentSource.COMPLAINT,
        referral.invitation_id,
    )


def test_who_never_agreed_is_reported_too_because_the_client_must_not_write_either(
    world: World,
) -> None:
    world.sponsor()
    unsubscribe(world.ports, stop_token(world, VIPS[0]))
    write(world)
    [[row]] = files(world).values()
    assert row == {
        "digest": digest(VIPS[0]),
        "state": "withdrawn",
        "at": world.clock().isoformat(),
        "wording": "",
        "source": "unsubscribe",
    }


def test_our_own_word_is_kept_beside_that_of_the_client(world: World) -> None:
    referral = consenting(world, consents=False)
    reported(world, (digest(NEWCOMER), "given", world.clock()))
    world.clock.advance(minutes=1)
    unsubscribe(world.ports, stop_token(world))
    kept = {one.digest: one for one in world.memory.all(Consent)}
    assert kept.keys() == {digest(NEWCOMER), own_digest(referral.referee)}
    assert kept[digest(NEWCOMER)].withdrawal is None
    assert state_of(world, referral) is WITHDRAWAL


# --- delivered -----------------------------------------------------------------------------------


def test_the_client_reads_each_word_once_with_a_manifest_that_agrees(world: World) -> None:
    consenting(world)
    given_at = world.clock()
    world.clock.advance(hours=1)
    unsubscribe(world.ports, stop_token(world))
    [file] = write(world)
    assert (file.number, file.rows) == (1, 2)
    rows = files(world)["00000001"]
    assert tuple(rows[0]) == CONSENT_COLUMNS
    assert rows == [
        {
            "digest": digest(NEWCOMER), "state": "given", "at": given_at.isoformat(),
            "wording": WORDING, "source": "confirmation",
        },
        {
            "digest": digest(NEWCOMER), "state": "withdrawn", "at": world.clock().isoformat(),
            "wording": WORDING, "source": "unsubscribe",
        },
    ]  # fmt: skip
    content = world.files.content[f"{FOLDER}00000001.csv.gz"]
    assert json.loads(world.files.content[f"{FOLDER}00000001.manifest.json"]) == {
        "number": "00000001",
        "rows": 2,
        "sha256": hashlib.sha256(content).hexdigest(),
        "generated_at": world.clock().isoformat(),
        "states": {"given": 1, "withdrawn": 1},
        "first_at": given_at.isoformat(),
        "last_at": world.clock().isoformat(),
    }
    [fact] = world.facts(FactName.CONSENTS_WRITTEN)
    assert fact.details == {"number": 1, "count": 2}
    before = dict(world.files.content)
    assert write(world) == []
    assert world.files.content == before
    assert world.memory.all(ConsentChange) == []


def test_a_part_with_digests_ends(world: World) -> None:
    consenting(world)
    write(world)
    [part] = world.memory.all(ConsentsPart)
    assert part.ends_at == world.clock() + timedelta(days=35)


def crowd() -> World:
    """Nine people, some of whom have taken their word back."""
    world = new_world(quotas={"sign_in_mails_per_day": 50})
    for number in range(9):
        address = f"nr{number}@example.fr"
        consenting(world, address)
        if number % 3 == 0:
            unsubscribe(world.ports, stop_token(world, address))
    return world


def test_law_5_no_number_has_a_gap_and_no_word_is_in_two_files() -> None:
    world = crowd()
    written = write(world, file_rows=5)
    assert [(one.number, one.rows) for one in written] == [(1, 5), (2, 5), (3, 2)]
    rows = [tuple(row.items()) for rows in files(world).values() for row in rows]
    assert len(rows) == len(set(rows)) == 12


def test_law_5_killed_at_every_call_each_word_is_in_one_file() -> None:
    whole = crowd()
    write(whole)
    words = sorted(tuple(row.items()) for rows in files(whole).values() for row in rows)

    def run(world: World, ports: object) -> None:
        write_consents(ports, world.campaign, file_rows=5)  # type: ignore[arg-type]

    worlds = killed_everywhere(crowd, run, lambda world: world.ports)
    assert len(worlds) > 10
    for world in worlds:
        write(world)
        found = sorted(tuple(row.items()) for rows in files(world).values() for row in rows)
        assert found == words
        numbers = [int(name) for name in files(world)]
        assert numbers == list(range(1, len(numbers) + 1))


# --- taken back ----------------------------------------------------------------------------------


def test_what_the_client_withdraws_holds_for_the_mails_we_send(world: World) -> None:
    assert reported(world, (digest(NEWCOMER), "withdrawn", world.clock())) == {"withdrawn": 1}
    world.invite(world.sponsor(first_name="Camille"), NEWCOMER)
    world.run()
    assert world.mailer.to(NEWCOMER) == []
    [invitation] = world.memory.all(Invitation)
    assert invitation.state is InvitationState.REFUSED
    [refused] = world.facts(FactName.INVITATION_REFUSED)
    assert refused.details["reason"] == "opposed"


def test_who_consents_again_at_the_clients_may_be_invited_again(world: World) -> None:
    now = world.clock()
    reported(world, (digest(NEWCOMER), "withdrawn", now - timedelta(days=2)))
    effects = reported(world, (digest(NEWCOMER), "given", now - timedelta(days=1)), file="d")
    assert effects == {"given": 1}
    world.invite(world.sponsor(first_name="Camille"), NEWCOMER)
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 1


def test_a_later_consent_at_the_clients_lifts_no_objection_that_was_made_here(
    world: World,
) -> None:
    referral = consenting(world)
    unsubscribe(world.ports, stop_token(world))
    world.clock.advance(days=1)
    reported(world, (digest(NEWCOMER), "given", world.clock()))
    assert state_of(world, referral) is GIVEN
    assert is_opposed(world.ports, world.campaign, referral.referee.values)
    world.clock.advance(seconds=1)
    unsubscribe(world.ports, stop_token(world))
    assert state_of(world, referral) is WITHDRAWAL


@pytest.mark.parametrize(
    ("earlier", "later", "wins"),
    [(GIVEN, WITHDRAWAL, WITHDRAWAL), (WITHDRAWAL, GIVEN, GIVEN), (GIVEN, GIVEN, GIVEN)],
)
def test_the_later_word_wins_whichever_file_comes_first(
    earlier: ConsentState, later: ConsentState, wins: ConsentState
) -> None:
    for first, second in permutations([(earlier, 2), (later, 1)]):
        world = new_world()
        referral = consenting(world, consents=False)
        for number, (state, days) in enumerate([first, second]):
            at = world.clock() - timedelta(days=days)
            reported(world, (digest(NEWCOMER), state, at), file=str(number))
        assert state_of(world, referral) is wins


def test_a_clock_of_the_clients_that_is_ahead_takes_no_withdrawal_from_her(world: World) -> None:
    """A consent that is dated after the press of the button would win over it."""
    referral = consenting(world)
    rows = [(digest(NEWCOMER), state, world.clock() + timedelta(hours=1)) for state in STATES]
    assert reported(world, rows[0]) == {}
    end_consent(world.ports, world.token_of(NEWCOMER))
    assert state_of(world, referral) is WITHDRAWAL
    assert reported(world, rows[1], file="d") == {"withdrawn": 1}


def test_a_withdrawal_wins_over_a_consent_of_the_same_moment(world: World) -> None:
    referral = consenting(world)
    assert reported(world, (digest(NEWCOMER), "withdrawn", world.clock())) == {"withdrawn": 1}
    assert state_of(world, referral) is WITHDRAWAL


def test_the_same_file_again_has_no_second_effect(world: World) -> None:
    rows = [(digest(f"nr{one}@example.fr"), "withdrawn", world.clock()) for one in range(3)]
    assert reported(world, *rows) == {"withdrawn": 3}
    facts, items = len(world.facts()), dict(world.memory._items)
    assert reported(world, *rows, file="renamed") == {"none": 3}
    assert (len(world.facts()), dict(world.memory._items)) == (facts, items)


def test_two_words_about_one_person_in_a_file_leave_the_later_one(world: World) -> None:
    now = world.clock()
    effects = reported(
        world,
        (digest(NEWCOMER), "withdrawn", now - timedelta(hours=1)),
        (digest(NEWCOMER), "given", now - timedelta(hours=2)),
        (digest(NEWCOMER).upper(), "given", now - timedelta(hours=1)),
    )
    assert effects == {"withdrawn": 1, "none": 2}
    [consent] = world.memory.all(Consent)
    assert ends_in_withdrawal([consent])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{digest},withdrawn,2026-03-01T10:00:00", "at_without_offset"),
        ("{digest},refused,2026-03-01T10:00:00Z", "state_invalid"),
        ("{digest},,2026-03-01T10:00:00Z", "state_missing"),
        ("abc,given,2026-03-01T10:00:00Z", "email_digest_invalid"),
        ("jeanne@gmail.com,given,2026-03-01T10:00:00Z", "email_digest_plain_address"),
        ("{digest},withdrawn,2026-05-01T10:00:00Z", "at_in_the_future"),
        (f"{{digest}},given,{(MORNING + timedelta(seconds=1)).isoformat()}", "at_in_the_future"),
        ("{digest},given", "wrong_number_of_fields"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_others_count(
    world: World, row: str, reason: str
) -> None:
    good = f"{digest('other@example.fr')},withdrawn,2026-03-01T10:00:00+01:00"
    text = "\n".join([",".join(COLUMNS), row.format(digest=digest(NEWCOMER)), good])
    receipt = world.drop("consents/c.csv", text.encode())
    assert receipt.status == "partial"
    assert [(one.line, one.reason) for one in receipt.errors] == [(2, reason)]
    assert receipt.effects == {"withdrawn": 1}
    assert receipt.quarantined is (reason == "email_digest_plain_address")
    assert [one.digest for one in world.memory.all(Consent)] == [digest("other@example.fr")]


def test_a_large_file_is_kept_in_parts_with_one_receipt(world: World) -> None:
    at = MORNING.isoformat()
    rows = [f"{number:064x},withdrawn,{at}" for number in range(6_000)]
    text = "\n".join([",".join(COLUMNS), *rows, rows[0], f"{5:064x},given,{at}"])
    receipt = world.drop("consents/c.csv.gz", gzip.compress(text.encode()))
    assert (receipt.rows, receipt.effects) == (6_002, {"withdrawn": 6_000, "none": 2})
    assert len(world.memory.all(Consent)) == 6_000
    assert work_off_parts(world.ports) is None


# --- words ---------------------------------------------------------------------------------------

WORDS = st.builds(
    Word,
    state=st.sampled_from(ConsentState),
    at=st.integers(0, 3).map(lambda hours: MORNING + timedelta(hours=hours)),
    source=st.sampled_from(ConsentSource),
)


def _consent() -> Consent:
    return Consent(brand="demo", digest="d", consent_id="k", campaign=CAMPAIGN)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_of_any_words_in_any_order_the_later_one_wins_and_a_withdrawal_a_tie(
    words: Sequence[Word], chance: object
) -> None:
    """However they are spread over the digests of one person."""
    shuffle: Callable[[list[Word]], None] = chance.shuffle  # type: ignore[attr-defined]
    pick: Callable[[int], int] = chance.randrange  # type: ignore[attr-defined]
    expected = max(words, key=lambda word: (word.at, word.state is WITHDRAWAL))
    for _ in range(3):
        mixed = list(words)
        shuffle(mixed)
        items = [_consent(), _consent()]
        for word in mixed:
            at = pick(2)
            items[at] = with_word(items[at], word)
        found = latest_word(items)
        assert found
        assert (found.at, found.state) == (expected.at, expected.state)


def test_a_campaign_of_the_same_brand_knows_it(world: World) -> None:
    referral = consenting(world)
    unsubscribe(world.ports, stop_token(world))
    put_campaign(world.ports, campaign(campaign="other"))
    found = world.ports.campaigns.get("other")
    assert found
    assert is_opposed(world.ports, found, referral.referee.values)
