"""The answer to a batch of which a part fails: each failure named, the rest done, nothing logged
that a log must not contain.
"""

from __future__ import annotations

import pytest

from chalicelib import functions
from chalicelib.adapters.dynamodb.codec import fact_json, fact_of
from chalicelib.domain.facts import FactName
from tests.api.requests import GOOD
from tests.api.world import STRANGER, World, queue_event, stream_event

BAD_BODY = f'{{"fact_id": "{STRANGER}"}}'


def test_of_a_queues_batch_what_failed_is_named_and_the_rest_is_done(world: World) -> None:
    world.ask(GOOD["sign_in"](world))
    [asked] = [one for one in world.facts() if one["name"]["S"] == FactName.SIGN_IN_REQUESTED]
    event = queue_event([BAD_BODY, fact_json(fact_of(asked)), "[]"])
    first, _, last = (record["messageId"] for record in event["Records"])
    assert functions.decide(event) == {
        "batchItemFailures": [{"itemIdentifier": first}, {"itemIdentifier": last}]
    }
    assert FactName.SIGN_IN_GRANTED in {one["name"]["S"] for one in world.facts()}


@pytest.mark.usefixtures("world")
def test_a_queues_batch_that_fails_whole_is_answered_all_the_same() -> None:
    event = queue_event([BAD_BODY])
    [record] = event["Records"]
    assert functions.mail(event) == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}


@pytest.mark.parametrize("consumer", [functions.relay, functions.project])
def test_a_streams_batch_with_a_bad_fact_fails_whole_so_that_lambda_halves_it(
    world: World,
    capsys: pytest.CaptureFixture[str],
    consumer: object,
) -> None:
    assert callable(consumer)
    world.ask(GOOD["sign_in"](world))
    good = world.facts()[-1]
    bad = {**good, "at": {"S": STRANGER}}
    with pytest.raises(functions.WorkFailedError) as caught:
        consumer(stream_event([good, bad]))
    assert caught.value.__suppress_context__
    assert STRANGER not in f"{caught.value}{capsys.readouterr().out}"
    assert consumer(stream_event([good])) == {"batchItemFailures": []}
