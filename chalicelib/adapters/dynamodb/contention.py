"""What an error of a write means: a condition that does not hold, or others at the same time."""

from __future__ import annotations

from botocore.exceptions import ClientError

# Transient: another transaction on the same items, or more requests than the table allows.
_TRANSIENT_CODES = frozenset(
    {
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
    }
)
_TRANSIENT_REASONS = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)


def reasons(error: ClientError) -> str:
    """The codes of what cancelled a transaction, in the order of its actions."""
    reasons = error.response.get("CancellationReasons", [])
    return ",".join(reason.get("Code", "?") for reason in reasons)


def is_conflict(error: ClientError) -> bool:
    """Whether a condition did not hold."""
    code = error.response["Error"]["Code"]
    return code == "ConditionalCheckFailedException" or (
        code == "TransactionCanceledException" and "ConditionalCheckFailed" in reasons(error)
    )


def is_contention(error: ClientError) -> bool:
    """Whether the same call may succeed later."""
    code = error.response["Error"]["Code"]
    return code in _TRANSIENT_CODES or (
        code == "TransactionCanceledException"
        and not _TRANSIENT_REASONS.isdisjoint(reasons(error).split(","))
    )
