"""`make deploy STAGE=name` and `make rollback STAGE=name`.

    environment ─► region, account ─► parameters ─► checks ─► package ─► release in S3
                                                                             │
       pages ◄── deletion protection ◄── change set, shown and executed ◄── edge

Nothing is made before the parameters and the checks are right; a stack whose first create failed is
deleted before, since nothing is left of it. Refuses what would replace or remove a store, and asks
before anything else is replaced or removed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor import before_deployment, shown
from cli.doctor.findings import Account
from cli.errors import CommandError
from cli.region import region
from infra.deployment.account import require_log_role
from infra.deployment.edge import EDGE_REGION, deploy_edge, edge_template
from infra.deployment.names import (
    left_out,
    lost_stores,
    of_stores_alone,
    protected,
    stores,
    with_kept,
    with_names,
)
from infra.deployment.pages import publish
from infra.deployment.parameters import (
    Given,
    check_effects,
    check_no_parameters,
    check_parameters,
    check_rules,
    check_stage,
    given_parameters,
    makes_edge,
)
from infra.deployment.releases import Release, Releases
from infra.deployment.stack import (
    ChangeSet,
    Found,
    Source,
    Stack,
    Store,
    Template,
    passed_parameters,
)
from infra.deployment.stored import stored_shapes, unreadable
from infra.package import PackageError, aws_target, package
from infra.pages import build_pages
from infra.short_forms import read_template

RESOURCES: Final = Path(__file__).parent.parent / "resources.yaml"
NOT_THERE: Final = frozenset({"404", "NoSuchBucket", "ResourceNotFoundException"})
SHOWN: Final = 10  # of what a former release cannot read
# New with each version of the code: what they replace is of use to nobody.
REPLACED_ALWAYS: Final = frozenset({"AWS::ApiGateway::Deployment", "AWS::Lambda::LayerVersion"})


@dataclass(frozen=True)
class Where:
    """The account and the region that a stage is deployed to."""

    session: boto3.Session
    region: str
    account: str
    partition: str


@dataclass(frozen=True)
class Deployment:
    """One stage in one place."""

    stage: str
    where: Where
    stack: Stack
    releases: Releases
    sure: bool  # the operator has agreed before being asked

    def apply(
        self, release: Release, given: Mapping[str, Given], found: Found
    ) -> Mapping[str, str]:
        """Make the stack what the release says; returns its outputs."""
        existing = {} if found.is_new else self.stack.physical_ids()
        variables = {
            "Stage": self.stage,
            "AWS::AccountId": self.where.account,
            "AWS::Region": self.where.region,
        }
        template = with_names(release.template, variables, existing)
        if not found.is_new:
            template = self._with_kept(template)
        for store in stores(template):
            if existing.get(store.logical_id, store.name) != store.name:
                raise CommandError(
                    f"{store.logical_id} is {existing[store.logical_id]}; as {store.name} it would "
                    "be empty: nothing was changed"
                )
        if found.is_new and (left := self._left(template)):
            found = self._adopt(release, template, left)
        source = self.releases.put_template(release, template)
        # What is protected cannot be taken away again when its create fails: only after it.
        there = set() if found.is_new else set(self.stack.physical_ids())
        is_there = protected(template) <= there
        own = {"Stage": self.stage, "DeletionProtection": "true" if is_there else "false"}
        values = {name: one.value for name, one in given.items()} | own
        if changes := self.stack.prepare(
            source, passed_parameters(template, values, found), creates=found.is_new
        ):
            self._agree(changes, template)
            self.stack.execute(changes)
        self._protect(source, template)
        return self.stack.found().outputs

    def _protect(self, source: Source, template: Template) -> None:
        switched_on = passed_parameters(
            template, {"DeletionProtection": "true"}, self.stack.found()
        )
        if changes := self.stack.prepare(source, switched_on, creates=False):
            self.stack.execute(changes)
        self.stack.protect()

    def _with_kept(self, template: Template) -> Template:
        """The template with the stores of the stack that it does not know."""
        current = self.stack.template()
        names = left_out(template, current)
        for name in names:
            print(f"{self.stack.name} keeps {name}, which this release does not know")
        return with_kept(template, current, names) if names else template

    def _left(self, template: Template) -> list[Store]:
        """The stores of a former stack of this stage, which was deleted."""
        return [store for store in stores(template) if _is_there(self.where.session, store)]

    def _adopt(self, release: Release, template: Template, left: Sequence[Store]) -> Found:
        """Take back what a former stack has left; returns the stack that has it."""
        for store in left:
            print(f"{self.stack.name} takes back {store.logical_id} ({store.name})")
        only = of_stores_alone(template, [store.logical_id for store in left])
        values = {"Stage": self.stage, "DeletionProtection": "true"}
        source = self.releases.put_template(release, only)
        self.stack.adopt(source, passed_parameters(only, values, Found()), left)
        return self.stack.found()

    def _agree(self, changes: ChangeSet, template: Template) -> None:
        """Show what may be taken away, and ask. Raises CommandError for a store, and for no."""
        losing = [
            change
            for change in changes.changes
            if change.takes_away and change.kind not in REPLACED_ALWAYS
        ]
        for change in losing:
            print(f"{self.stack.name} {change}")
        if depending := [change.logical_id for change in changes.changes if change.depends]:
            names = ", ".join(depending)
            print(f"{self.stack.name} updates, or replaces if what they name is new: {names}")
        if lost := lost_stores(losing, template):
            self.stack.discard(changes)
            raise CommandError(f"{lost[0]} has what cannot be made again: nothing was changed")
        if losing and not self.sure and not _is_confirmed():
            self.stack.discard(changes)
            raise CommandError("nothing was changed")


def deploy(stage: str, folder: Path | None, *, sure: bool) -> None:
    """Deploy this tree; `folder` is a finished package to deploy instead of packaging for AWS."""
    check_stage(stage, edge_template()["Parameters"])
    has_edge = makes_edge(os.environ)
    deployment = _deployment(stage, sure=sure)
    where = deployment.where
    file = os.environ.get("PARAMETERS_FILE")
    given = given_parameters(Path(file) if file else None, os.environ.get("PARAMETERS", ""))
    found = deployment.stack.ready()
    template = Releases.template_of(folder) if folder else read_template(RESOURCES)
    declared = template["Parameters"]
    stored = dict(found.parameters)
    check_parameters(given, declared, edge_template()["Parameters"], stored)
    check_effects(given, declared, stored, makes_edge=has_edge)
    if has_edge:
        _check_web_acl(deployment, stored.get("WebAclArn", ""))
    of_edge = {name: one for name, one in given.items() if name not in declared}
    given = {name: one for name, one in given.items() if name in declared}
    effective = {name: str(rules.get("Default", "")) for name, rules in declared.items()}
    effective |= stored | {name: one.value for name, one in given.items()}
    check_rules(template.get("Rules", {}), effective)
    _check(where, effective)
    folder = folder or package(aws_target(), say=print).template.parent
    deployment.releases.require_bucket(where.region)
    with tempfile.TemporaryDirectory() as scratch:
        pages = build_pages(Path(scratch, "web"))
        release = deployment.releases.add(folder, pages, stored_shapes())
    if arn := require_log_role(where.session, where.partition):
        print(f"the account's role for access logs is {arn}")
    if has_edge:
        given["WebAclArn"] = Given(_edge(deployment, of_edge), "the edge")
    _finish(deployment, release, deployment.apply(release, given, found))


def _edge(deployment: Deployment, given: Mapping[str, Given]) -> str:
    """Limit each caller by address, before there is anything to call; the web ACL's ARN."""
    own = {"Stage": deployment.stage, "StageRegion": deployment.where.region}
    values = {name: one.value for name, one in given.items()}
    return deploy_edge(_edge_stack(deployment), own, values)


def _edge_stack(deployment: Deployment) -> Stack:
    where = deployment.where
    client = where.session.client("cloudformation", region_name=EDGE_REGION)
    return Stack(client, f"tandem-{deployment.stage}-{where.region}-edge", print)


def _check_web_acl(deployment: Deployment, stored: str) -> None:
    """Raises CommandError when the stage has another's web ACL, whose place one of its own would
    take: the stack remembers its parameters, and EDGE=off is none.
    """
    if stored and _edge_stack(deployment).found().is_new:
        raise CommandError(
            f"WebAclArn is {stored}, which is not this stage's: EDGE=off keeps it; "
            "PARAMETERS=WebAclArn= with EDGE=off lets go of it"
        )


def roll_back(stage: str, *, sure: bool, anyway: bool) -> None:
    """Deploy the release before the one in force. Raises CommandError when there is none, and,
    but for `anyway`, when it cannot read what was stored since.
    """
    check_no_parameters(os.environ)
    deployment = _deployment(stage, sure=sure)
    found = deployment.stack.ready()
    if found.is_new:
        raise CommandError(
            f"there is no stack {deployment.stack.name} in {deployment.where.region}"
        )
    current = found.outputs.get("Release")
    former = [one for one in deployment.releases.history() if one != current]
    if not former:
        raise CommandError(f"{deployment.stack.name} has no former release to go back to")
    release = deployment.releases.get(former[-1])
    if not anyway:
        _check_readable(deployment.releases, release.digest, current)
    print(f"{deployment.stack.name}: from release {current} back to {release.digest}")
    _finish(deployment, release, deployment.apply(release, {}, found))


def _check_readable(releases: Releases, former: str, current: str | None) -> None:
    """Raises CommandError naming what the former release could not read. Each one that was ever
    deployed counts: after a rollback, what the newer one stored is still there.
    """
    known = {one: releases.shapes(one) for one in {*releases.history(), former, current or ""}}
    reads = known.pop(former)
    if reads is None or known.get(current or "") is None:
        raise CommandError(
            f"whether {former} reads what was stored since is not known: it, or {current}, was "
            "deployed before that was kept. ANYWAY=1 goes back all the same"
        )
    stored = [shapes for shapes in known.values() if shapes is not None]
    problems = list(dict.fromkeys(line for one in stored for line in unreadable(reads, one)))
    if problems:
        more = len(problems) - SHOWN
        raise CommandError(
            f"{former} cannot read what was stored since, so nothing was changed:",
            *problems[:SHOWN],
            *([f"and {more} more"] if more > 0 else []),
            "ANYWAY=1 goes back all the same; what it cannot read stays, and fails, until a newer "
            "release is deployed",
        )


def _deployment(stage: str, *, sure: bool) -> Deployment:
    chosen = region()
    session = boto3.Session(region_name=chosen)
    identity = session.client("sts").get_caller_identity()
    where = Where(session, chosen, identity["Account"], identity["Arn"].split(":")[1])
    print(f"tandem-{stage} in account {where.account}, region {where.region}")
    return Deployment(
        stage,
        where,
        Stack(session.client("cloudformation"), f"tandem-{stage}", print),
        Releases(
            session.client("s3"), f"tandem-deploy-{where.account}-{chosen}", f"tandem-{stage}"
        ),
        sure,
    )


def _check(where: Where, effective: Mapping[str, str]) -> None:
    account = Account(where.session, where.region, where.account)
    findings = list(before_deployment(account, effective))
    for finding in findings:
        if not finding.is_good:
            print(shown(finding))
    if any(finding.is_wrong for finding in findings):
        raise CommandError("nothing was deployed: the checks above say what to do")


def _finish(deployment: Deployment, release: Release, outputs: Mapping[str, str]) -> None:
    publish(deployment.where.session, release, outputs)
    deployment.releases.note(release)
    print(f"{deployment.stack.name}: release {release.digest} at {outputs['Origin']}")


def _is_there(session: boto3.Session, store: Store) -> bool:
    try:
        if store.kind == "AWS::DynamoDB::Table":
            session.client("dynamodb").describe_table(TableName=store.name)
        else:
            session.client("s3").head_bucket(Bucket=store.name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        return False
    return True


def _is_confirmed() -> bool:
    if not sys.stdin.isatty():
        raise CommandError("nothing was changed: see the lines above; if that is meant, YES=1")
    return input("go on? [y/N] ").strip().lower() in {"y", "yes"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.deployment", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("deploy", "rollback"):
        command = commands.add_parser(name)
        command.add_argument("stage")
        if name == "deploy":
            command.add_argument("--package", type=Path, help="a finished package, for an emulator")
    options = parser.parse_args(arguments)
    sure = bool(os.environ.get("YES"))
    try:
        if options.command == "deploy":
            deploy(options.stage, options.package, sure=sure)
        else:
            roll_back(options.stage, sure=sure, anyway=bool(os.environ.get("ANYWAY")))
    except CommandError as error:
        lines = error.lines
    except PackageError as error:
        lines = (str(error),)
    except ClientError as error:
        details = error.response["Error"]
        lines = (f"{error.operation_name}: {details.get('Message') or details.get('Code')}",)
    except BotoCoreError as error:
        lines = (str(error),)
    else:
        return 0
    for line in lines:
        print(f"deploy: {line}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
