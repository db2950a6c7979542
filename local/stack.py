"""Starts everything on this machine and ends it again: `with running_stack() as stack:`.

Order: the front (so that a port in use is known at once), the resolver, the emulator, the
deployment of the packaged template, the topic that mails report to.

Several stacks may run side by side, each with its own ports and directory. Nothing is kept from
one start to the next but the package, so a start is always from an empty table.

Neighbours: running.py is what this gives, __main__.py the command line around it.
"""

from __future__ import annotations

import fcntl
import json
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.pages import REFEREE_PAGE
from chalicelib.domain.addresses import OWN_KEY
from infra.package import Package, PackageError, local_target, package
from infra.pages import SIGN_IN, build_pages, sign_in_settings
from local.deployment import Deployer
from local.edge_headers import edge_headers
from local.emulator import GRACE_S, ROOT, Emulator, free_port
from local.errors import StackError
from local.front import Desk, front
from local.patience import patience_of
from local.post_office import PostOffice
from local.resolver import resolving
from local.running import DEMO_KEY_ID, Stack
from local.serving import listening, serving
from local.sign_in import SignIn
from local.upstream import Upstream
from local.web_acl import web_acl

DEMO_KEY_FILE: Final = ROOT / "local/demo/digest.key"
DIRECTORY: Final = ROOT / ".local"

Say = Callable[[str], None]
"""Called with what is done next, for the person who waits."""


def silently(_text: str) -> None:
    """Say nothing."""


@contextmanager
def running_stack(
    *,
    port: int | None = None,
    aws_port: int | None = None,
    directory: Path | None = None,
    parameters: Mapping[str, str] | None = None,
    made: Package | None = None,
    limited: bool = False,
    say: Say = silently,
) -> Iterator[Stack]:
    """A whole stack for the length of a `with` block. Raises StackError when it cannot start.

    `port` is the front's and `aws_port` the emulator's; None takes any free one. Its files are in
    `directory`, which no other stack may use meanwhile; None is a new one, named by the port.
    `parameters` are set in the template over the local ones; `made` is a package to deploy instead
    of this tree's. `limited` is whether the front limits each address as the edge does: tests are a
    crowd that comes from one.
    """
    with ExitStack() as cleanup:
        listener = cleanup.enter_context(listening(port))
        chosen_port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{chosen_port}"
        directory = directory or DIRECTORY / str(chosen_port)
        directory.mkdir(parents=True, exist_ok=True)
        cleanup.enter_context(_only_one_in(directory))
        try:
            made = made or package(local_target(), say=say)
        except PackageError as error:
            raise StackError(f"packaging failed: {error}") from error
        template = json.loads(made.template.read_text(encoding="utf-8"))
        post_office = PostOffice(directory / "mail")
        desk = Desk(
            web=build_pages(directory / "web"),
            post_office=post_office,
            edge_headers=edge_headers(template),
            status=lambda: {"ready": False},
            client_token=secrets.token_urlsafe(32),
            web_acl=web_acl() if limited else None,
        )
        cleanup.enter_context(serving(front(desk), listener))
        resolver = cleanup.enter_context(resolving())
        say("starting the AWS emulator")
        emulator = Emulator(directory, aws_port or free_port(), f"{url}/_local/ses")
        cleanup.enter_context(emulator)
        say(f"deploying the packaged template: {len(template['Resources'])} resources")
        deployment = Deployer(emulator.endpoint).deploy(
            made,
            origin=url,
            keys={
                DEMO_KEY_ID: DEMO_KEY_FILE.read_text(encoding="ascii").strip(),
                # As `tandem key put` draws it with the first key of the client's.
                OWN_KEY: secrets.token_hex(32),
            },
            extra={"Resolver": resolver, **(parameters or {})},
        )
        stack = Stack(
            url,
            emulator.endpoint,
            deployment,
            post_office,
            desk.client_token,
            emulator,
            patience_of(template),
        )
        _publish_referee_page(stack, desk.web)
        _report_mails(stack, reported_events(template))
        cleanup.callback(post_office.close)
        desk.upstream = Upstream(
            emulator.port,
            deployment.outputs["RestApiId"],
            deployment.client,
            lambda: stack.end(GRACE_S),
            session=deployment.client_session,
            origin_key=deployment.origin_key,
        )
        desk.sign_in = _sign_in(stack, desk.web)
        desk.status = stack.status
        desk.picture = stack.picture
        yield stack


@contextmanager
def _only_one_in(directory: Path) -> Iterator[None]:
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StackError(
                f"a stack runs in {directory} already: stop it, or give this one another directory"
            ) from None
        yield


def _publish_referee_page(stack: Stack, web: Path) -> None:
    """Put the page that the API shows for a shared link where it reads it: the front serves all
    others from the directory itself.
    """
    content = (web / REFEREE_PAGE).read_bytes()
    bucket = stack.deployment.outputs["WebBucketName"]
    stack.s3.put_object(Bucket=bucket, Key=REFEREE_PAGE, Body=content, ContentType="text/html")


# What SES writes to a topic once, when it is made the destination of its events.
NOTICE: Final = "Successfully validated SNS topic for Amazon SES event publishing."


def reported_events(template: Mapping[str, Any]) -> frozenset[str]:
    """The kinds of events that SES reports, as the template asks for: `Send`, `Bounce`, …"""
    destination = template["Resources"]["MailEventsDestination"]["Properties"]["EventDestination"]
    return frozenset(kind.capitalize() for kind in destination["MatchingEventTypes"])


def _report_mails(stack: Stack, kinds: Collection[str]) -> None:
    """Hand the post office's events to the topic of the stack, as SES does, while it runs: those of
    the kinds that the template asks for. What SES writes first is no event, and no JSON.
    """
    topic = stack.deployment.outputs["MailEventsTopicArn"]
    sns = stack.session.client("sns", endpoint_url=stack.endpoint)
    sns.publish(TopicArn=topic, Message=NOTICE)

    def publish(event: str) -> None:
        if stack.end() is not None or json.loads(event)["eventType"] not in kinds:
            return
        try:
            sns.publish(TopicArn=topic, Message=event)
        except (BotoCoreError, ClientError):
            if stack.end(GRACE_S) is None:
                raise

    stack.post_office.publish_with(publish)


def _sign_in(stack: Stack, web: Path) -> SignIn | None:
    """Where the people of the stack sign in: the emulator's pages, in place of the stack's own."""
    outputs = stack.deployment.outputs
    settings = sign_in_settings(outputs, stack.endpoint)
    if settings is None:  # a package of an earlier version
        return None
    (web / SIGN_IN).write_bytes(settings)
    cognito = stack.session.client("cognito-idp", endpoint_url=stack.endpoint)
    return SignIn(stack.endpoint, outputs["DashboardClientId"], cognito)
