"""Whether a former release reads what a later one stores: every kind of difference, one by one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.codec import entity_item
from chalicelib.domain.facts import BODIES, FactName
from infra.deployment.stored import stored_shapes, unreadable
from tests.contract.entities import ENTITIES
from tests.contract.kept import FACT, KINDS, kept, versions

Shapes = dict[str, Any]
VOUCHER, ORDER, ISSUED = "item VOUCHER", "item ORDER", f"fact {FactName.VOUCHER_ISSUED}"


@pytest.fixture(scope="module")
def made() -> str:
    return json.dumps(stored_shapes())


@pytest.fixture
def shapes(made: str) -> Shapes:
    """Those of this tree, which a test may change."""
    read: Shapes = json.loads(made)
    return read


def problems(reads: Shapes, stores: Shapes) -> list[str]:
    return sorted(unreadable(reads, stores))


def test_a_release_reads_what_it_stores_itself(shapes: Shapes) -> None:
    assert problems(shapes, shapes) == []
    items = {f"item {one.kind}" for one in schema.ITEM_KINDS.values()}
    assert set(shapes) == items | {f"fact {name}" for name in BODIES}


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda one: type(one).__name__)
def test_what_is_always_stored_is_in_every_item(shapes: Shapes, entity: Any) -> None:
    shape = shapes[f"item {schema.ITEM_KINDS[type(entity)].kind}"]
    assert set(shape["always"]) <= entity_item(entity).keys()


def test_what_is_always_stored_of_a_fact_is_in_every_one_of_today(shapes: Shapes) -> None:
    """No test makes all of them; those that were kept have what their release knew."""
    for item in kept(versions()[-1]).items[FACT]:
        shape = shapes[f"fact {item['name']['S']}"]
        assert set(shape.get("required", ())) <= set(shape["always"])


def _changed(change: Callable[[Shapes], None], shapes: Shapes) -> Shapes:
    other = copy.deepcopy(shapes)
    change(other)
    return other


def _becomes_optional(stores: Shapes) -> None:
    stores[VOUCHER]["always"].remove("template")


def _goes(stores: Shapes) -> None:
    del stores[VOUCHER]["properties"]["template"]
    stores[VOUCHER]["always"].remove("template")


def _has_a_new_state(stores: Shapes) -> None:
    stores[VOUCHER]["$defs"]["VoucherState"]["enum"].append("lent")


def _has_another_type(stores: Shapes) -> None:
    stores[VOUCHER]["properties"]["value_minor"] = {"type": "string"}


def _may_be_none(stores: Shapes) -> None:
    stores[VOUCHER]["properties"]["rule"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}


def _is_any_text(stores: Shapes) -> None:
    stores[VOUCHER]["properties"]["state"] = {"type": "string"}


def _is_a_list_of_others(stores: Shapes) -> None:
    stores["item EXPORT_PART"]["properties"]["codes"]["items"] = {"type": "integer"}


def _has_longer_texts(stores: Shapes) -> None:
    stores["item CAMPAIGN"]["$defs"]["Brand"]["properties"]["name"]["maxLength"] += 1


def _has_shorter_lists(stores: Shapes) -> None:
    stores["item CAMPAIGN"]["$defs"]["Campaign"]["properties"]["locales"]["minItems"] = 0


def _has_more_than_the_former_takes(stores: Shapes) -> None:
    stores["item CAMPAIGN"]["$defs"]["Brand"]["properties"]["motto"] = {"type": "string"}


def _has_one_more_language(stores: Shapes) -> None:
    titles = stores["item CAMPAIGN"]["$defs"]["Campaign"]["properties"]["title"]
    titles["patternProperties"] = {"^(fr|de)$": {"type": "string", "minLength": 1, "maxLength": 5}}


def _is_new(stores: Shapes) -> None:
    stores["fact voucher_lent"] = stores[ISSUED]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (_becomes_optional, "item VOUCHER: template may be missing"),
        (_goes, "item VOUCHER: template may be missing"),
        (_has_a_new_state, "item VOUCHER.state: lent is not known there"),
        (_has_another_type, "item VOUCHER.value_minor: type integer there, string here"),
        (_may_be_none, "item VOUCHER.rule: type string there, null here"),
        (_is_any_text, "item VOUCHER.state: anything is not known there"),
        (_is_a_list_of_others, "item EXPORT_PART.codes[]: type string there, integer here"),
        (
            _has_longer_texts,
            "item CAMPAIGN.document.brand.name: maxLength 60 there, 61 here",
        ),
        (_has_shorter_lists, "item CAMPAIGN.document.locales: minItems 1 there, 0 here"),
        (
            _has_more_than_the_former_takes,
            "item CAMPAIGN.document.brand: motto is not known there",
        ),
        (
            _has_one_more_language,
            "item CAMPAIGN.document.title[]: pattern ^(fr|en|pl|es|it)$ there, ^(fr|de)$ here",
        ),
        (_is_new, "fact voucher_lent: it is not known there"),
    ],
)
def test_what_the_former_release_could_not_read_is_named(
    shapes: Shapes, change: Callable[[Shapes], None], line: str
) -> None:
    stores = _changed(change, shapes)
    assert problems(shapes, stores) == [line]


def _drops_an_optional_field(stores: Shapes) -> None:
    del stores[VOUCHER]["properties"]["export"]


def _has_a_new_field(stores: Shapes) -> None:
    stores[VOUCHER]["properties"]["colour"] = {"type": "string"}
    stores[VOUCHER]["required"].append("colour")
    stores[VOUCHER]["always"].append("colour")


def _has_a_new_kind(stores: Shapes) -> None:
    stores["item LOAN"] = stores[VOUCHER]


def _knows_fewer_states(stores: Shapes) -> None:
    stores[VOUCHER]["$defs"]["VoucherState"]["enum"].remove("revoked")


@pytest.mark.parametrize(
    "change", [_drops_an_optional_field, _has_a_new_field, _has_a_new_kind, _knows_fewer_states]
)
def test_what_the_former_release_does_without_is_no_problem(
    shapes: Shapes, change: Callable[[Shapes], None]
) -> None:
    assert problems(shapes, _changed(change, shapes)) == []


def test_every_kind_that_was_ever_stored_has_a_shape(shapes: Shapes) -> None:
    assert {f"item {kind}" for kind in KINDS} <= shapes.keys()


def test_a_field_that_is_left_out_when_it_is_empty_may_be_missing(shapes: Shapes) -> None:
    """The release before may have asked for it: then its way back is closed."""
    reads = copy.deepcopy(shapes)
    reads["item REFERRAL"]["required"].append("further_orders")
    assert problems(reads, shapes) == ["item REFERRAL: further_orders may be missing"]


@pytest.mark.slow
def test_a_nested_object_is_compared_too(shapes: Shapes) -> None:
    nested = [
        (name, definition)
        for name, shape in shapes.items()
        for definition, part in shape.get("$defs", {}).items()
        if part.get("required")
    ]
    assert len(nested) > 5
    for name, definition in nested:
        stores = {**shapes, name: copy.deepcopy(shapes[name])}
        part = stores[name]["$defs"][definition]
        lost = part["required"].pop()
        del part["properties"][lost]
        found = problems(shapes, stores)
        assert found, (name, definition)
        assert all(line.endswith(f"{lost} may be missing") for line in found)
