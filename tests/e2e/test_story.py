"""The demo's story on the deployed template, and what it must have left behind everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from boto3.dynamodb.types import TypeDeserializer
from typer.testing import CliRunner

from chalicelib.domain.journal import GENESIS, verify
from cli.main import app
from local.demo.expected import EXPECTED
from local.demo.lists import CAMPAIGN
from local.narration import Narrator
from local.running import Stack
from local.story import SPONSORS, Story
from local.surfaces import Surfaces
from tests.e2e.conftest import Played

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

_TOKENS = re.compile(r"(?:#token=|/v1/unsubscribe/)([\w-]{20,})")


@pytest.fixture(scope="module")
def world(played: Played) -> Surfaces:
    return played.world


def log_lines(stack: Stack) -> Iterator[str]:
    for groups in stack.logs.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            pages = stack.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group["logGroupName"]
            )
            for page in pages:
                yield from (event["message"] for event in page["events"])


def items(stack: Stack) -> Iterator[dict[str, object]]:
    read = TypeDeserializer().deserialize
    for page in stack.dynamodb.get_paginator("scan").paginate(TableName=stack.table):
        for item in page["Items"]:
            yield {name: read(value) for name, value in item.items()}


def mailed(world: Surfaces) -> list[str]:
    return [str(world.mail(letter)) for letter in world.letters()]


def tokens(world: Surfaces) -> set[str]:
    links = {link for letter in world.letters() for link in letter.links}
    headers = {str(world.mail(letter)["List-Unsubscribe"]) for letter in world.letters()}
    return {found for text in links | headers for found in _TOKENS.findall(text)}


def codes(world: Surfaces) -> set[str]:
    return {row["code"] for rows in world.exports().values() for row in rows}


def test_every_check_of_the_story_holds(played: Played, narrator: Narrator) -> None:
    assert narrator.failures == []
    assert {name: played.given.get(name, 0) for name in EXPECTED} == EXPECTED


def test_law_9_no_log_line_holds_an_address_a_name_a_code_or_a_token(
    stack: Stack, played: Played, world: Surfaces
) -> None:
    addresses = {letter.to for letter in world.letters()} | played.addresses
    printed = codes(world)
    bare = {code.replace("-", "")[2:] for code in printed}
    secret = addresses | printed | bare | tokens(world) | played.sessions | set(SPONSORS.values())
    assert len(secret) > 60
    lines = list(log_lines(stack))
    assert len(lines) > 100
    leaks = {(word, line) for line in lines for word in secret if word.lower() in line.lower()}
    assert leaks == set()


@pytest.mark.usefixtures("played")
def test_one_invitation_is_followed_through_every_function_by_its_correlation_id(
    stack: Stack,
) -> None:
    confirmed = next(i for i in items(stack) if i.get("kind") == "REFERRAL")
    lines = [line for line in log_lines(stack) if str(confirmed["correlation"]) in line]
    messages = {json.loads(line)["message"] for line in lines}
    assert {"decided", "mailed", "rewarded"} <= messages


def test_tokens_are_stored_hashed(stack: Stack, played: Played, world: Surfaces) -> None:
    used = tokens(world) | played.sessions
    assert len(used) > 20
    stored = json.dumps(list(items(stack)), default=str)
    assert [token for token in used if token in stored] == []


@pytest.mark.usefixtures("played")
def test_law_9_plain_addresses_live_in_one_kind_of_item_with_an_end(stack: Stack) -> None:
    holding = [
        i for i in items(stack) if "@demo.test" in json.dumps({**i, "document": ""}, default=str)
    ]
    assert {item["kind"] for item in holding} == {"CONTACT"}
    assert all("ttl" in item for item in holding)
    assert not {str(item["address"]) for item in holding} & {
        "new5@demo.test", "new6@demo.test", "customer7@demo.test", "bounce1@demo.test",
    }  # fmt: skip


def test_law_2_every_referee_has_at_most_one_invitation_mail_and_it_names_the_sponsor(
    world: Surfaces,
) -> None:
    invitations = [
        (letter, str(world.mail(letter)["Subject"]))
        for letter in world.letters()
        if letter.to in Story.addresses and any("/referee/" in link for link in letter.links)
    ]
    receivers = [letter.to for letter, _ in invitations]
    assert len(receivers) == EXPECTED["sent"] == len(set(receivers))
    assert all(any(name in subject for name in SPONSORS.values()) for _, subject in invitations)


def test_law_5_every_voucher_is_in_exactly_one_export(stack: Stack, world: Surfaces) -> None:
    vouchers = [
        str(item["printed"])
        for item in items(stack)
        if item.get("kind") == "VOUCHER" and item["campaign"] == CAMPAIGN
    ]
    exported = [row["code"] for rows in world.exports().values() for row in rows]
    assert sorted(exported) == sorted(vouchers)


@pytest.mark.usefixtures("played")
def test_law_10_the_journal_agrees_with_its_roots_the_counters_and_the_table(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.run("seal")
    stack.run("root")
    monkeypatch.setenv("TANDEM_PORT", stack.url.rpartition(":")[2])
    result = CliRunner().invoke(app, ["journal", "verify", "--campaign", CAMPAIGN])
    assert result.exit_code == 0, result.output
    assert f"{CAMPAIGN}: agrees" in result.stdout


@pytest.mark.usefixtures("played")
def test_law_10_the_journal_is_one_chain_and_gives_the_counts_again(
    stack: Stack, world: Surfaces
) -> None:
    stack.run("seal")  # what is counted is sealed; the schedule does so once a minute here
    heads = [item for item in items(stack) if item.get("kind") == "JOURNAL_HEAD"]
    head = next(item for item in heads if item["campaign"] == CAMPAIGN)
    segments = {key.rsplit("/", 1)[1]: key for key in world.output_keys("journal/")}
    lines: list[bytes] = []
    digest = str(head["hash"])
    for number in range(int(str(head["number"])), 0, -1):
        key = segments[f"{number:08}-{digest[:16]}.jsonl"]
        content = world.output_file(key.split("/", 2)[2]) or b""
        segment = content.splitlines()
        lines = segment + lines
        digest = json.loads(segment[0])["previous"]
    assert digest == GENESIS
    assert verify(GENESIS, lines) == head["hash"]
    facts = [json.loads(line)["fact"] for line in lines]
    assert len({fact["fact_id"] for fact in facts}) == len(facts)
    happened = [fact["name"] for fact in facts]
    shown = world.dashboard()["funnel"]
    assert happened.count("invitation_received") == shown["invited"]
    assert happened.count("voucher_issued") == shown["vouchers_issued"]
    assert happened.count("referral_confirmed") == shown["confirmed"]
