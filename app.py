"""The Chalice app: one line per handler. Event sources are wired in `infra/resources.yaml`."""

from typing import Any

from chalice.app import Chalice

from chalicelib import bootstrap, functions
from chalicelib.api import routes

app = Chalice(app_name="tandem", configure_logs=False)
routes.register(app, bootstrap.ports, bootstrap.origin, bootstrap.origin_key)


@app.lambda_function(name="relay")
def relay(event: dict[str, Any], context: object) -> object:
    return functions.relay(event)


@app.lambda_function(name="project")
def project(event: dict[str, Any], context: object) -> object:
    return functions.project(event)


@app.lambda_function(name="decide")
def decide(event: dict[str, Any], context: object) -> object:
    return functions.decide(event)


@app.lambda_function(name="mail")
def mail(event: dict[str, Any], context: object) -> object:
    return functions.mail(event)


@app.lambda_function(name="mail_events")
def mail_events(event: dict[str, Any], context: object) -> object:
    return functions.mail_events(event)


@app.lambda_function(name="reward")
def reward(event: dict[str, Any], context: object) -> object:
    return functions.reward(event)


@app.lambda_function(name="persons")
def persons(event: dict[str, Any], context: object) -> object:
    return functions.persons(event)


@app.lambda_function(name="ingest")
def ingest(event: dict[str, Any], context: object) -> object:
    return functions.ingest(event)


@app.lambda_function(name="due")
def due(event: dict[str, Any], context: object) -> object:
    return functions.due(event)


@app.lambda_function(name="export")
def export(event: dict[str, Any], context: object) -> None:
    functions.export()


@app.lambda_function(name="expire")
def expire(event: dict[str, Any], context: object) -> None:
    functions.expire()


@app.lambda_function(name="reconcile")
def reconcile(event: dict[str, Any], context: object) -> None:
    functions.reconcile()


@app.lambda_function(name="seal")
def seal(event: dict[str, Any], context: object) -> None:
    functions.seal()


@app.lambda_function(name="root")
def root(event: dict[str, Any], context: object) -> None:
    functions.root()


@app.lambda_function(name="report")
def report(event: dict[str, Any], context: object) -> None:
    functions.report()
