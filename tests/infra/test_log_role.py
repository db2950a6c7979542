"""The account's role for access logs, asked for of an API Gateway as patient as AWS's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.deployment.account import ROLE, require_log_role

ARN = f"arn:aws:iam::123456789012:role/{ROLE}"
# Fixed quotas of API Gateway, which nobody can have raised: one UpdateAccount in 20 seconds.
SECONDS_BETWEEN_UPDATES = 20


@dataclass
class Gateway:
    """Knows a new role after `known_after` seconds, and takes no call too soon after the last."""

    known_after: float
    now: float = 0.0
    role: str = ""
    updates: list[float] = field(default_factory=list)
    exceptions: Any = boto3.client("apigateway", region_name="eu-west-3").exceptions

    def get_account(self) -> dict[str, str]:
        return {"cloudwatchRoleArn": self.role} if self.role else {}

    def update_account(self, patchOperations: list[dict[str, str]]) -> None:  # noqa: N803
        last = self.updates[-1] if self.updates else -SECONDS_BETWEEN_UPDATES
        self.updates.append(self.now)
        if self.now - last < SECONDS_BETWEEN_UPDATES:
            raise self._error(self.exceptions.TooManyRequestsException)
        if self.now < self.known_after:
            raise self._error(self.exceptions.BadRequestException)
        [operation] = patchOperations
        self.role = operation["value"]

    def _error(self, kind: type[ClientError]) -> ClientError:
        return kind({"Error": {"Code": kind.__name__, "Message": "no"}}, "UpdateAccount")

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Iam:
    """An account without the role."""

    exceptions: Any = boto3.client("iam", region_name="us-east-1").exceptions

    def create_role(self, **_: str) -> dict[str, dict[str, str]]:
        return {"Role": {"Arn": ARN}}

    def attach_role_policy(self, **_: str) -> None:
        return None


@dataclass
class Session:
    """Hands out the two clients."""

    gateway: Gateway

    def client(self, service: str) -> Any:
        return {"iam": Iam(), "apigateway": self.gateway}[service]


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    made = Gateway(known_after=0)
    monkeypatch.setattr("infra.deployment.account.time.sleep", made.sleep)
    return made


@pytest.mark.parametrize("known_after", [0, 12, 90])
def test_a_role_that_is_known_late_is_set_within_the_quota_of_calls(
    gateway: Gateway, known_after: float
) -> None:
    gateway.known_after = known_after
    assert require_log_role(Session(gateway), "aws") == ARN  # type: ignore[arg-type]
    assert gateway.role == ARN


def test_a_call_just_after_that_of_another_deployment_waits_its_turn(gateway: Gateway) -> None:
    gateway.updates.append(-1.0)
    assert require_log_role(Session(gateway), "aws") == ARN  # type: ignore[arg-type]


def test_a_role_that_stays_unknown_is_an_error(gateway: Gateway) -> None:
    gateway.known_after = 10_000
    with pytest.raises(ClientError, match="UpdateAccount"):
        require_log_role(Session(gateway), "aws")  # type: ignore[arg-type]
    assert gateway.now < 300
