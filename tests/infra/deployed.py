"""An account of the emulator that `infra/deploy.sh` deploys to, as an operator would run it."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from infra.package import Package
from local.deployment import for_emulator
from local.emulator import ACCESS_KEY_ID, REGION, ROOT, SECRET_ACCESS_KEY, Emulator

SENDER = "Sender=hello@shop.brand.fr SenderIdentity=shop.brand.fr"


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass
class AwsAccount:
    """Runs deployments with nothing of this machine's environment, and looks at what they made."""

    emulator: Emulator
    home: Path
    made: Package
    region: str = REGION
    _packages: int = field(default=0)

    def run(self, command: str, stage: str, *more: str, **environment: str) -> Done:
        """`deploy` by the script itself, anything else by its module."""
        script = ["infra/deploy.sh"] if command == "deploy" else [
            ".venv/bin/python", "-m", "infra.deployment", command
        ]  # fmt: skip
        done = subprocess.run(
            [*script, stage, *more],
            cwd=ROOT,
            env=self.environment() | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def deploy(self, stage: str, package: Path | None = None, **environment: str) -> Done:
        """Deploy a package, by default this tree's."""
        given = {"AWS_REGION": self.region, "PARAMETERS": SENDER} | environment
        return self.run("deploy", stage, "--package", str(package or self.package()), **given)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "AWS_ENDPOINT_URL": self.emulator.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        }

    def package(
        self,
        changed: Mapping[str, Mapping[str, Any]] | None = None,
        added: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Path:
        """A finished package; of some resources other properties than the packaged ones, and
        resources and parameters that the packaged one does not have.
        """
        self._packages += 1
        folder = self.home / f"package-{self._packages}"
        folder.mkdir()
        template = for_emulator(json.loads(self.made.template.read_text(encoding="utf-8")))
        template = copy.deepcopy(template)
        for name, properties in (changed or {}).items():
            template["Resources"][name]["Properties"] |= properties
        template["Resources"] |= added or {}
        template["Parameters"] |= parameters or {}
        (folder / "template.json").write_text(json.dumps(template), encoding="utf-8")
        # What is in the zips is run by the local stack; here only their places matter.
        for path in (self.made.code, *self.made.layers.values()):
            with zipfile.ZipFile(folder / path.name, "w") as archive:
                archive.writestr(zipfile.ZipInfo("app.py"), "")
        return folder

    def delete(self, stage: str, region: str | None = None) -> None:
        """Delete a stack, as somebody does who is sure."""
        formation, name = self.client("cloudformation", region), f"tandem-{stage}"
        formation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
        formation.delete_stack(StackName=name)
        formation.get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def client(self, service: str, region: str | None = None) -> Any:
        session = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=region or self.region)
        return session.client(service, endpoint_url=self.emulator.endpoint)  # type: ignore[call-overload]

    def stack(self, stage: str, region: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self.client("cloudformation", region).describe_stacks(
            StackName=f"tandem-{stage}"
        )["Stacks"][0]
        return found

    def parameters(self, stage: str) -> dict[str, str]:
        return {
            one["ParameterKey"]: one["ParameterValue"] for one in self.stack(stage)["Parameters"]
        }

    def outputs(self, stage: str, region: str | None = None) -> dict[str, str]:
        return {
            one["OutputKey"]: one["OutputValue"] for one in self.stack(stage, region)["Outputs"]
        }
