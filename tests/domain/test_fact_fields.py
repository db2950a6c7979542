"""No field of a fact can carry text from outside: the journal is for good (laws 9 and 10).

A number, a flag, a time and a member of an enum cannot. Any other field is named here, with what
may stand in it; a new one fails until somebody has said why it may.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from enum import StrEnum
from typing import get_type_hints

import pytest

import chalicelib.domain.fact_bodies  # noqa: F401  (it registers every body)
from chalicelib.domain import facts
from chalicelib.domain.facts import BODIES, Fact, FactBody, FactName, _plain_type

OURS = "a random id that we drew, or one made of such an id and a word of ours"
CAMPAIGN_FILE = "from the campaign's file, which the agency writes"
WORD = "a word of a fixed set of ours"
PRINCIPAL = "the id of an AWS principal; a session's name is hashed (cli/connection.py)"

IDS = {
    "consent_id", "contact_id", "holder_id", "invitation_id", "mail_id", "referral_id",
    "replaces_id", "sponsor_id", "voucher_id",
}  # fmt: skip
# By body and field where the name alone says too little.
TEXTS = {
    "order_ref_id": "a hash of the client's id of an order under our own key",
    "link_id": "the start of the hash of a token that we drew: what a wall link is called",
    "client_order_id": "read only, in facts of earlier versions (services/test_journal_texts.py)",
    "by": PRINCIPAL,
    "approved_by": PRINCIPAL,
    "list_name": "customers or vips: a folder under in/",
    "mode": "full, add or remove: a folder under in/",
    "sha256": "of a dropped file, as we computed it",
    "kind": "of a mail: a word of ours",
    "rule": CAMPAIGN_FILE,
    "template": CAMPAIGN_FILE,
    "terms_version": CAMPAIGN_FILE,
    "wording": "the version of the page's texts, a constant of ours",
    "month": "a month in digits",
    "ends_in": "the same",
    "replaced_ends_in": "the same",
    "confirmed_at": "a time, written by us",
    "code_problem": WORD,
    "verdict": WORD,
    "ListRefused.reason": WORD,
    "ListHeld.reason": WORD,
    "ListApproved.reason": WORD,
    "ListRejected.reason": WORD,
    "MailFailed.reason": "the code of the sender's refusal (adapters/ses.py), or a word of ours",
    "InvitationBounced.reason": "the same",
    "InvitationsStopped.reason": WORD,
    "RedemptionRefused.reason": WORD,
    "RewardRevoked.reason": "the name of a fact, or rolled_back",
    "RewardHoldEnded.reason": "the name of a fact, or not_earned",
    "signals": "words of a fixed set of ours, between spaces",
}


def _texts(body: type[FactBody]) -> Iterator[str]:
    """The fields of a body that hold any text, so far as their types say."""
    hints = get_type_hints(body)
    for each in fields(body):
        kind = _plain_type(hints[each.name])
        if not issubclass(kind, StrEnum | int):
            yield each.name


@pytest.mark.parametrize("name", BODIES)
def test_law_9_no_field_of_a_fact_can_carry_text_from_outside(name: str) -> None:
    body = BODIES[name]  # type: ignore[index]
    open_to_text = {
        field
        for field in _texts(body)
        if field not in IDS and field not in TEXTS and f"{body.__name__}.{field}" not in TEXTS
    }
    assert not open_to_text, f"{body.__name__}: say in this file what may stand in them"


def test_every_field_that_is_explained_is_one() -> None:
    known = {field for body in BODIES.values() for field in _texts(body)}
    known |= {f"{body.__name__}.{field}" for body in BODIES.values() for field in _texts(body)}
    assert (IDS | TEXTS.keys()) <= known


def test_the_types_of_a_body_are_looked_up_once_however_many_facts_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[type] = []

    def noted(body: type) -> dict[str, object]:
        looked_up.append(body)
        return get_type_hints(body)

    monkeypatch.setattr(facts, "get_type_hints", noted)
    monkeypatch.setattr(facts, "_COLUMNS", {})
    bodies = [BODIES[FactName.MAIL_FAILED], BODIES[FactName.LIST_REFUSED]]
    for body in bodies * 3:
        with suppress(TypeError):  # what it lacks does not matter here
            body.from_stored({}, {})
    assert looked_up == bodies


def test_a_fact_has_no_other_text() -> None:
    """Its other fields: ids of ours, a campaign's name, and what its body is stored as."""
    assert {each.name for each in fields(Fact)} == {
        "fact_id", "name", "campaign", "subject", "at", "correlation", "ids", "details",
        "counted", "by_subject",
    }  # fmt: skip
