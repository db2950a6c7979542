"""Registering all blueprints on the app, with the route of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Chalice

from chalicelib.api import operations
from chalicelib.api.client import client_routes
from chalicelib.api.edge import Call, Edge, Reply
from chalicelib.api.ops import ops_routes, wall_routes
from chalicelib.api.public import public_routes
from chalicelib.api.shared_links import shared_link_routes
from chalicelib.api.sponsor import sponsor_routes
from chalicelib.services.ports import Ports

if TYPE_CHECKING:
    from chalicelib.services.mails.draft import Sender


def register(
    app: Chalice,
    ports: Callable[[], Ports],
    origin: Callable[[], str],
    origin_key: Callable[[], str],
    sender: Callable[[], Sender],
) -> None:
    """Register every route of the API on `app`. What is guarded neither by a signature nor by the
    ops pool is called at the pages' address alone, which adds the origin key.
    """
    # What is a file in an answer; everything else is text, in both directions.
    app.api.binary_types = sorted({one.binary for one in operations.OPERATIONS if one.binary})
    for blueprint in (
        public_routes(ports, origin, origin_key),
        shared_link_routes(ports, origin, origin_key),
        sponsor_routes(ports, origin, origin_key, sender),
        client_routes(ports),
        ops_routes(ports),
        wall_routes(ports, origin_key),
        description_routes(ports, origin_key),
    ):
        app.register_blueprint(blueprint)


def description_routes(ports: Callable[[], Ports], origin_key: Callable[[], str]) -> Blueprint:
    """The route of the OpenAPI document."""
    edge = Edge(Blueprint(__name__), ports, origin_key)

    @edge.serves(operations.GET_OPENAPI)
    def get_openapi(_call: Call) -> Reply:
        from chalicelib.api.openapi import document  # imported here: no other route needs it

        return document()

    return edge.blueprint
