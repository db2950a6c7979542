"""AWS's list prices, each with the page that states it. Here and nowhere else.

US East (N. Virginia), on demand, the first tier of each, without taxes; CloudFront's are those of
Europe. They are those of November 2026 as this project knows them, not read from AWS by a program:
look a price up before you quote a figure. Other regions differ: in Paris a write unit of DynamoDB
costs a fifth more. SES and Lambda are nearly the same everywhere.

`free` is what AWS takes no money for in a month, for as long as it says "always free", of the whole
account. The bill of a million invitations is without it, the idle bill with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SEEN = "2026-11"  # of every price
REGION = "us-east-1"
MILLION = 1_000_000


class Unit(StrEnum):
    """What is charged for."""

    MAIL = "SES mails"
    WRITE = "DynamoDB write units"
    READ = "DynamoDB read units"
    TABLE = "DynamoDB storage, GB-months"
    BACKUP = "DynamoDB point-in-time recovery, GB-months"
    PUT = "S3 PUT, COPY, LIST"
    GET = "S3 GET"
    FILES = "S3 storage, GB-months"
    CALL = "API Gateway calls"
    INVOCATION = "Lambda calls"
    GB_SECOND = "Lambda GB-seconds"
    QUEUE = "SQS requests"
    PUBLISHED = "SNS messages"
    SCHEDULED = "EventBridge Scheduler runs"
    TRACE = "X-Ray traces"
    LOGGED = "CloudWatch Logs, GB"
    METRIC = "custom metrics, months"
    ALARM = "alarms' metrics, months"
    DASHBOARD = "dashboards, months"
    EDGE_CALL = "CloudFront requests"
    EDGE_GB = "CloudFront transfer, GB"
    EDGE_FUNCTION = "CloudFront function runs"
    WEB_ACL = "WAF web ACLs, months"
    WEB_RULE = "WAF rules, months"
    WEB_CALL = "WAF requests"
    SECRET = "secrets, months"
    KEY_CALL = "KMS requests"

    __hash__ = str.__hash__


@dataclass(frozen=True)
class Price:
    """`dollars` for so many (`per`); `source` is the page on aws.amazon.com that states it."""

    dollars: float
    per: float
    source: str
    free: float = 0

    @property
    def each(self) -> float:
        """Of one."""
        return self.dollars / self.per


PRICES: Mapping[Unit, Price] = {
    Unit.MAIL: Price(0.10, 1_000, "ses/pricing: outbound email"),
    Unit.WRITE: Price(0.625, MILLION, "dynamodb/pricing/on-demand: write request units"),
    Unit.READ: Price(0.125, MILLION, "dynamodb/pricing/on-demand: read request units"),
    Unit.TABLE: Price(0.25, 1, "dynamodb/pricing/on-demand: data storage", free=25),
    Unit.BACKUP: Price(0.20, 1, "dynamodb/pricing/on-demand: continuous backups"),
    Unit.PUT: Price(0.005, 1_000, "s3/pricing: PUT, COPY, POST, LIST"),
    Unit.GET: Price(0.0004, 1_000, "s3/pricing: GET, SELECT"),
    Unit.FILES: Price(0.023, 1, "s3/pricing: S3 Standard, first 50 TB"),
    Unit.CALL: Price(3.50, MILLION, "api-gateway/pricing: REST APIs, first 333 million"),
    Unit.INVOCATION: Price(0.20, MILLION, "lambda/pricing: requests", free=MILLION),
    Unit.GB_SECOND: Price(0.0000133334, 1, "lambda/pricing: arm64, first tier", free=400_000),
    Unit.QUEUE: Price(0.40, MILLION, "sqs/pricing: standard queues", free=MILLION),
    Unit.PUBLISHED: Price(0.50, MILLION, "sns/pricing: publishes, 64 KB", free=MILLION),
    Unit.SCHEDULED: Price(1.00, MILLION, "eventbridge/pricing: Scheduler", free=14 * MILLION),
    Unit.TRACE: Price(5.00, MILLION, "xray/pricing: traces recorded", free=100_000),
    Unit.LOGGED: Price(0.50, 1, "cloudwatch/pricing: logs, collect, standard class", free=5),
    Unit.METRIC: Price(0.30, 1, "cloudwatch/pricing: custom metrics, by the hour", free=10),
    Unit.ALARM: Price(0.10, 1, "cloudwatch/pricing: standard resolution, each metric", free=10),
    # The first three, of at most 50 metrics each, are free.
    Unit.DASHBOARD: Price(3.00, 1, "cloudwatch/pricing: dashboards, custom"),
    Unit.EDGE_CALL: Price(0.012, 10_000, "cloudfront/pricing: HTTPS, Europe", free=10 * MILLION),
    Unit.EDGE_GB: Price(0.085, 1, "cloudfront/pricing: to the internet, Europe", free=1_024),
    Unit.EDGE_FUNCTION: Price(0.10, MILLION, "cloudfront/pricing: functions", free=2 * MILLION),
    Unit.WEB_ACL: Price(5.00, 1, "waf/pricing: web ACL"),
    Unit.WEB_RULE: Price(1.00, 1, "waf/pricing: rule"),
    Unit.WEB_CALL: Price(0.60, MILLION, "waf/pricing: requests"),
    Unit.SECRET: Price(0.40, 1, "secrets-manager/pricing: secret"),
    Unit.KEY_CALL: Price(0.03, 10_000, "kms/pricing: requests, AWS managed keys", free=20_000),
}
