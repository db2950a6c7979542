"""Items of every version are readable, and those of this version are recorded for the next."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.codec import (
    entity_item,
    entity_of,
    fact_from_json,
    fact_item,
    fact_json,
    fact_of,
)
from chalicelib.adapters.dynamodb.upgrades import UPGRADES
from chalicelib.domain.codes import candidates
from chalicelib.domain.effects import FUNNEL, ISSUED_OF, REFUSED_FOR
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import ExportPart
from chalicelib.domain.fact_bodies import body_of
from chalicelib.domain.facts import FactName
from chalicelib.domain.files.exports import voucher_file
from chalicelib.domain.journal import canonical, chained, verify
from chalicelib.domain.lists.model import CurrentList, FileRecord, ListVersion
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from tests.contract.entities import ENTITIES
from tests.contract.kept import COUNT, FACT, KINDS, NEXT, Item, kept, versions

RELEASED = [version for version in versions() if version != NEXT]
STORED = [
    pytest.param(kind, item, id=f"{version}-{kind}-{number}")
    for version in versions()
    for kind, items in kept(version).items.items()
    for number, item in enumerate(items)
    if kind not in {FACT, COUNT}
]
FACTS = [
    pytest.param(item, id=f"{version}-{item['name']['S']}-{number}")
    for version in versions()
    for number, item in enumerate(kept(version).items.get(FACT, []))
]
MESSAGES = [message for version in versions() for message in kept(version).messages]
# What an upgrade stores under another name, or in another shape, from then on; what nothing reads.
RESHAPED = {
    ListVersion: {"dropped_at"},
    CurrentList: {"dropped_at"},
    ExportPart: {"rows"},
    Referral: {"due_sk"},  # it says how often the referral was stored
    # Sign-ups by a link, confirmed or not, and sign-in mails of a day: strangers made them grow.
    Sponsor: {"sign_ups", "sign_ins", "sign_ins_on"},
}
# An item of a version before the index `due` leaves the index `agenda` when it is written again.
LEFT = {"agenda_pk", "agenda_sk"}


def items_of(kind: str) -> list[Item]:
    return [item for version in versions() for item in kept(version).items.get(kind, [])]


def is_covered(stored: Any, written: Any) -> bool:
    """Whether all of one attribute is in another, which may have more."""
    match stored, written:
        case {"M": before}, {"M": now}:
            return all(name in now and is_covered(before[name], now[name]) for name in before)
        case {"L": before}, {"L": now}:
            return len(before) == len(now) and all(map(is_covered, before, now))
    return bool(stored == written)


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "item"), STORED)
def test_a_stored_item_is_read_and_written_and_read_again_as_the_same(
    kind: str, item: Item
) -> None:
    entity = entity_of(KINDS[kind], item)
    written = entity_item(entity)
    assert entity_of(KINDS[kind], written) == replace(entity, revision=entity.revision + 1)


@pytest.mark.parametrize(("kind", "item"), STORED)
def test_what_was_stored_is_stored_under_the_same_key_and_the_same_names(
    kind: str, item: Item
) -> None:
    """A renamed field keeps its stored name; under another one its value would be lost silently."""
    written = entity_item(entity_of(KINDS[kind], item))
    names = set(item) - {"revision"} - RESHAPED.get(KINDS[kind], set()) - LEFT
    lost = {name for name in names if not is_covered(item[name], written.get(name))}
    # What is empty without a value is left out if it is empty.
    assert {name for name in lost if item[name] not in EMPTY} == set()


EMPTY: tuple[Item, ...] = ({"L": []}, {"BOOL": False}, {"N": "0"}, {"S": ""})


def test_what_is_empty_without_a_value_is_left_out_and_read_as_it_was() -> None:
    referral = kept(versions()[-1]).items["REFERRAL"][0]
    plain = entity_of(Referral, referral)
    empty = replace(plain, further_orders=0, address_gone=False)
    full = replace(plain, further_orders=1, address_gone=True)
    written, more = entity_item(empty), entity_item(full)
    assert {"further_orders", "address_gone"}.isdisjoint(written)
    assert (more["further_orders"], more["address_gone"]) == ({"N": "1"}, {"BOOL": True})
    for one, item in ((empty, written), (full, more)):
        assert entity_of(Referral, item) == replace(one, revision=one.revision + 1)


@pytest.mark.parametrize(("kind", "item"), STORED)
def test_an_item_stays_on_its_agenda_when_it_moves_to_the_index_due(kind: str, item: Item) -> None:
    written = entity_item(entity_of(KINDS[kind], item))
    assert LEFT.isdisjoint(written)
    if "agenda_pk" in item:
        assert written["due_pk"]["S"].rpartition("#")[0] == item["agenda_pk"]["S"]
        assert item["agenda_sk"]["S"].startswith(written["due_sk"]["S"].partition("#")[0])


@pytest.mark.parametrize("item", FACTS)
def test_a_stored_fact_is_read_and_written_as_it_was(item: Item) -> None:
    fact = fact_of(item)
    assert FactName(fact.name) == fact.name
    # What strangers made happen has an end from the version on that made them end.
    written = fact_item(fact)
    assert {**written, "ttl": None} == {**item, "ttl": None}
    if "ttl" in item:
        assert written["ttl"] == item["ttl"]


@pytest.mark.parametrize("item", FACTS)
def test_a_stored_fact_has_a_typed_body_that_is_stored_as_it_was(item: Item) -> None:
    """No id and no detail is lost or renamed; what 0.1.0 did not store yet is said by a default."""
    fact = fact_of(item)
    ids, details = body_of(fact).stored()
    assert ids == fact.ids
    assert fact.details.items() <= details.items()
    assert details.keys() - fact.details.keys() <= {"reason", "mode", "scope"}


@pytest.mark.parametrize("message", MESSAGES, ids=range(len(MESSAGES)))
def test_a_message_of_a_queue_is_read_and_written_as_it_was(message: str) -> None:
    assert json.loads(fact_json(fact_from_json(message))) == json.loads(message)


def test_every_stored_count_is_one_of_the_dashboards() -> None:
    counted = {
        name for item in items_of(COUNT) for name, attribute in item.items() if "N" in attribute
    }
    assert len(counted) > 10
    by_body = (REFUSED_FOR, ISSUED_OF)
    unknown = {name for name in counted if name not in FUNNEL and not name.startswith(by_body)}
    assert unknown == set()
    assert all(date.fromisoformat(item["sk"]["S"]) for item in items_of(COUNT))


@pytest.mark.parametrize("version", RELEASED)
def test_law_10_a_stored_segment_of_the_journal_verifies_and_would_be_written_the_same(
    version: str,
) -> None:
    [segment] = [text for path, text in kept(version).files.items() if "/journal/" in path]
    lines = segment.encode().splitlines(keepends=True)
    entries = [json.loads(line) for line in lines]
    last = verify(entries[0]["previous"], lines)
    facts = [fact_from_json(json.dumps(entry["fact"])) for entry in entries]
    again = chained(entries[0]["previous"], map(canonical, facts))
    assert again == (segment.encode(), last)


# --- upgrades ------------------------------------------------------------------------------------


def test_a_list_of_0_1_0_is_the_full_list_beneath_itself() -> None:
    for item in [*kept("0.1.0").items["LIST"], *kept("0.1.0").items["LIST_VERSION"]]:
        stored = entity_of(ListVersion, item)
        assert (stored.mode, stored.base_version, stored.directory_crc) == ("full", None, None)
        full = stored.full
        assert (full.segment, full.etag, full.rows) == (stored.segment, stored.etag, stored.rows)
        assert (full.sha256, full.key_id) == (stored.source_sha256, stored.key_id)
        moment, sequencer, sha256 = stored.last_position.rsplit(".", 2)
        assert moment == schema.moment(datetime.fromisoformat(item["dropped_at"]["S"]))
        assert (set(sequencer), sha256) == ({"0"}, stored.source_sha256[:16])
        assert full.position == stored.last_position


def test_a_file_processed_by_0_1_0_describes_no_later_instant() -> None:
    for item in kept("0.1.0").items["FILE"]:
        stored = entity_of(FileRecord, item)
        assert stored.as_of == stored.processed_at
        assert stored.position.startswith(schema.moment(stored.processed_at))


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0"])
def test_law_5_a_part_kept_as_fields_gives_the_file_it_gave(version: str) -> None:
    """The very text: the bytes of a gzip depend on the library that packed it."""
    parts = [entity_of(ExportPart, item) for item in kept(version).items["EXPORT_PART"]]
    [(path, packed)] = [one for one in kept(version).files.items() if "/vouchers/" in one[0]]
    first = [one for one in parts if f"{one.number:08}" in path]
    text = gzip.decompress(base64.b64decode(packed))
    assert gzip.decompress(voucher_file(first).content) == text
    rows = list(csv.DictReader(text.decode().splitlines()))
    assert len(rows) == len(first[0].codes) > 5
    assert all(set(candidates(row["code"])) & set(first[0].codes) for row in rows)


def test_an_upgrade_leaves_what_is_stored_today_alone() -> None:
    for entity in ENTITIES:
        for upgrade in UPGRADES.get(type(entity), ()):
            values = {"full": {}, "order": "", "columns": [], "rows": []}
            assert upgrade(dict(values)) == values


# --- keeping -------------------------------------------------------------------------------------


def test_what_every_release_stored_is_kept() -> None:
    """A release renames `items/next.json` to its version and begins another."""
    changelog = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d[\d.]*)\]", changelog, re.MULTILINE)
    assert "0.1.0" in released
    assert set(released) - set(versions()) == set()


def test_every_kind_of_item_is_kept() -> None:
    """A new kind: its example of `entities.py`, as it is stored, is a line of `items/next.json`."""
    examples = {type(entity): entity for entity in ENTITIES}
    missing = {kind: examples[kind] for name, kind in KINDS.items() if not items_of(name)}
    assert [_line(entity) for entity in missing.values()] == []


def test_every_fact_is_kept() -> None:
    """A new fact: one that a use case wrote, as it is stored, is a line of `items/next.json`."""
    stored = {item["name"]["S"] for item in items_of(FACT)}
    assert {name.value for name in FactName} - stored == set()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_field_is_kept_in_some_item_or_may_be_absent(kind: type[Entity]) -> None:
    """A new field: an item without it is still read, and one with it is kept before a release."""
    example = entity_item(next(entity for entity in ENTITIES if type(entity) is kind))
    stored = {name for item in items_of(schema.ITEM_KINDS[kind].kind) for name in item}
    assert set(example) - stored == set(), _line(
        next(entity for entity in ENTITIES if type(entity) is kind)
    )


def _line(entity: Entity) -> str:
    return json.dumps(entity_item(entity), sort_keys=True, separators=(",", ":"))
