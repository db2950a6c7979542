"""The Chalice app: one line per handler. Event sources are wired in `infra/resources.yaml`.

Chalice makes a function for each handler here. Of those, Lambda calls what they call, without this
module: `infra/postprocess/functions.py` says so in the template.
"""

from typing import Any

from chalice.app import Chalice

from chalicelib import bootstrap
from chalicelib.api import routes
from chalicelib.functions import handler_of

app = Chalice(app_name="tandem", configure_logs=False)
routes.register(app, bootstrap.ports, bootstrap.origin, bootstrap.origin_key, bootstrap.sender)


@app.lambda_function(name="relay")
def relay(event: dict[str, Any], context: object) -> object:
    return handler_of("relay")(event, context)


@app.lambda_function(name="project")
def project(event: dict[str, Any], context: object) -> object:
    return handler_of("project")(event, context)


@app.lambda_function(name="decide")
def decide(event: dict[str, Any], context: object) -> object:
    return handler_of("decide")(event, context)


@app.lambda_function(name="mail")
def mail(event: dict[str, Any], context: object) -> object:
    return handler_of("mail")(event, context)


@app.lambda_function(name="mail_events")
def mail_events(event: dict[str, Any], context: object) -> object:
    return handler_of("mail_events")(event, context)


@app.lambda_function(name="reward")
def reward(event: dict[str, Any], context: object) -> object:
    return handler_of("reward")(event, context)


@app.lambda_function(name="persons")
def persons(event: dict[str, Any], context: object) -> object:
    return handler_of("persons")(event, context)


@app.lambda_function(name="wallet")
def wallet(event: dict[str, Any], context: object) -> object:
    return handler_of("wallet")(event, context)


@app.lambda_function(name="ingest")
def ingest(event: dict[str, Any], context: object) -> object:
    return handler_of("ingest")(event, context)


@app.lambda_function(name="due")
def due(event: dict[str, Any], context: object) -> object:
    return handler_of("due")(event, context)


@app.lambda_function(name="export")
def export(event: dict[str, Any], context: object) -> object:
    return handler_of("export")(event, context)


@app.lambda_function(name="expire")
def expire(event: dict[str, Any], context: object) -> object:
    return handler_of("expire")(event, context)


@app.lambda_function(name="reconcile")
def reconcile(event: dict[str, Any], context: object) -> object:
    return handler_of("reconcile")(event, context)


@app.lambda_function(name="seal")
def seal(event: dict[str, Any], context: object) -> object:
    return handler_of("seal")(event, context)


@app.lambda_function(name="root")
def root(event: dict[str, Any], context: object) -> object:
    return handler_of("root")(event, context)


@app.lambda_function(name="report")
def report(event: dict[str, Any], context: object) -> object:
    return handler_of("report")(event, context)
