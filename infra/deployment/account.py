"""What API Gateway needs of the account: one role, for the access logs of all its stages.

The setting is the account's (of a region), so it belongs to no stack: with the role of a stack, the
logs of every other stage would end when that stack is deleted. A role that somebody else has set
for the account is left as it is.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    import boto3

ROLE: Final = "tandem-api-logs"
# Stacks of earlier versions had a role of their own, and made it the account's.
OF_A_STACK: Final = "-ApiLogRole-"
ATTEMPTS: Final = 6
PAUSE_S: Final = 21.0  # AWS takes one such call of an account in 20 s

TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def require_log_role(session: boto3.Session, partition: str) -> str | None:
    """See that the account has a role for access logs; its ARN if it was set now."""
    iam, gateway = session.client("iam"), session.client("apigateway")
    current = gateway.get_account().get("cloudwatchRoleArn", "")
    if current and OF_A_STACK not in current and _exists(iam, current):
        return None
    arn = _role(iam, partition)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            gateway.update_account(
                patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": arn}]
            )
        except (
            # A new role is known everywhere only after some seconds.
            gateway.exceptions.BadRequestException,
            gateway.exceptions.TooManyRequestsException,
        ):
            if attempt == ATTEMPTS:
                raise
            time.sleep(PAUSE_S)
        else:
            break
    return arn


def _exists(iam: Any, arn: str) -> bool:
    try:
        iam.get_role(RoleName=arn.rpartition("/")[2])
    except iam.exceptions.NoSuchEntityException:
        return False
    except ClientError:
        return True  # not ours to look at, so not ours to replace
    return True


def _role(iam: Any, partition: str) -> str:
    try:
        role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    except iam.exceptions.EntityAlreadyExistsException:
        role = iam.get_role(RoleName=ROLE)["Role"]
    iam.attach_role_policy(
        RoleName=ROLE,
        PolicyArn=f"arn:{partition}:iam::aws:policy/service-role/"
        "AmazonAPIGatewayPushToCloudWatchLogs",
    )
    return str(role["Arn"])
