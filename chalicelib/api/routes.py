"""Registering all blueprints on the app, with the route of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable

from chalice.app import Blueprint, Chalice

from chalicelib.api import operations
from chalicelib.api.client import client_routes
from chalicelib.api.edge import Call, Edge, Reply
from chalicelib.api.ops import ops_routes
from chalicelib.api.public import public_routes
from chalicelib.api.sponsor import sponsor_routes
from chalicelib.services.ports import Ports


def register(app: Chalice, ports: Callable[[], Ports], origin: Callable[[], str]) -> None:
    """Register every route of the API on `app`."""
    for blueprint in (
        public_routes(ports),
        sponsor_routes(ports, origin),
        client_routes(ports),
        ops_routes(ports),
        description_routes(ports),
    ):
        app.register_blueprint(blueprint)


def description_routes(ports: Callable[[], Ports]) -> Blueprint:
    """The route of the OpenAPI document."""
    edge = Edge(Blueprint(__name__), ports)

    @edge.serves(operations.GET_OPENAPI)
    def get_openapi(_call: Call) -> Reply:
        from chalicelib.api.openapi import document  # imported here: no other route needs it

        return document()

    return edge.blueprint
