"""Which facts of the stream the relay sees: those that go to a queue, by `domain/effects.py`.

Each of the others would be a call that does nothing.
"""

from __future__ import annotations

import json

from chalicelib.adapters.dynamodb.schema import FACT_KIND
from chalicelib.domain.effects import EFFECTS
from infra.postprocess.shapes import Object, object_at


def filter_relay(resources: Object) -> None:
    """Let the relay's event source pass on these facts alone."""
    names = [name.value for name, effect in EFFECTS.items() if effect.queues]
    image = {"kind": {"S": [FACT_KIND]}, "name": {"S": names}}
    pattern = json.dumps({"eventName": ["INSERT"], "dynamodb": {"NewImage": image}})
    source = object_at(object_at(resources, "RelaySource"), "Properties")
    source["FilterCriteria"] = {"Filters": [{"Pattern": pattern}]}
