"""Completes the template that `chalice package` writes: pure, a template in, a template out.

functions.py completes each function, layers.py has the layers, api.py the REST API, streams.py says
what the relay sees, watch.py adds alarms and the dashboard; shapes.py is the JSON underneath.
Refuses a template whose functions are not those of `FUNCTIONS`.

Neighbours: resources.yaml holds everything that is not per function; package.py calls this.
"""

from __future__ import annotations

import copy
from typing import Final

from infra.postprocess.api import complete_api
from infra.postprocess.functions import (
    FUNCTIONS,
    SERVERLESS_FUNCTION,
    complete_function,
)
from infra.postprocess.layers import LAYERS, layer_resource
from infra.postprocess.shapes import Object, TemplateError, as_object, object_at
from infra.postprocess.streams import filter_relay
from infra.postprocess.watch import (
    DEAD_QUEUES,
    HANDED_OUT_AGAIN,
    dashboard,
    dead_queue_alarm,
    lambda_alarms,
)

__all__ = [
    "DEAD_QUEUES",
    "FUNCTIONS",
    "LAYERS",
    "SERVERLESS_FUNCTION",
    "Object",
    "TemplateError",
    "complete",
]

# What Chalice exports and nothing reads.
NEEDLESS_OUTPUTS: Final = ("RestAPIId", "APIHandlerName", "APIHandlerArn", "EndpointURL")


def complete(packaged: Object, *, runtime: str, architecture: str) -> Object:
    """The deployable template, from the one Chalice packaged and merged with resources.yaml."""
    template = copy.deepcopy(packaged)
    resources = object_at(template, "Resources")
    found = {
        key for key, value in resources.items() if as_object(value)["Type"] == SERVERLESS_FUNCTION
    }
    if unknown := found - set(FUNCTIONS):
        raise TemplateError(
            f"functions without a size in infra/postprocess/functions.py: {sorted(unknown)}"
        )
    if missing := set(FUNCTIONS) - found:
        raise TemplateError(f"functions that app.py does not define: {sorted(missing)}")
    for logical_id, size in FUNCTIONS.items():
        complete_function(resources, logical_id, size, runtime, architecture)
    resources.update(lambda_alarms())
    for logical_id in DEAD_QUEUES:
        if logical_id not in HANDED_OUT_AGAIN:
            resources[f"{logical_id}Alarm"] = dead_queue_alarm(logical_id)
    for layer in LAYERS.values():
        resources[layer.logical_id] = layer_resource(layer, runtime, architecture)
    complete_api(object_at(resources, "RestAPI"))
    filter_relay(resources)
    resources["Dashboard"] = dashboard()
    outputs = object_at(template, "Outputs")
    for needless in NEEDLESS_OUTPUTS:
        outputs.pop(needless, None)
    return template
