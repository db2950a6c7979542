"""What AWS publishes about its limits, each with the page that says it, and what is assumed.

The pages: "DynamoDB" is its Developer Guide, "Lambda" its Developer Guide, "SQS" and "S3" theirs.
Kinder than published: nothing. Harsher: DynamoDB lets an idle partition burst for up to 300 seconds
and splits a hot one between its sort keys; neither is counted on here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What a partition of a store, or a prefix of a bucket, takes so many of a second."""

    WRITE = "write units"
    READ = "read units"
    PUT = "PUTs"
    GET = "GETs"

    __hash__ = (
        str.__hash__
    )  # an enumeration's own is slow, and resources are looked up all the time


A_SECOND: Mapping[Kind, float] = {
    # DynamoDB, "Best practices for designing and using partition keys effectively": a partition of
    # a table or an index delivers at most 1,000 write units and 3,000 read units a second.
    Kind.WRITE: 1_000,
    Kind.READ: 3_000,
    # S3, "Best practices design patterns: optimizing Amazon S3 performance": at least 3,500
    # PUT/COPY/POST/DELETE or 5,500 GET/HEAD a second and prefix.
    Kind.PUT: 3_500,
    Kind.GET: 5_500,
}

# DynamoDB, "Read and write operations": a unit is a write of 1 KB, or a strongly consistent read of
# 4 KB; half of that if it may be stale.
WRITE_UNIT, READ_UNIT = 1024, 4096
STALE_READ = 0.5
# DynamoDB, "Amazon DynamoDB Transactions: How it works": two writes of every item, one to prepare
# and one to commit. An item that another transaction is working on cancels it.
TRANSACTION_FACTOR = 2
# DynamoDB, "Using global secondary indexes": an entry that moves is removed and added, two writes.
# "Understanding GSI write throttling and back pressure": an index that cannot keep up holds up the
# table's writes, and each of its partitions has its own limit.

# DynamoDB, "DynamoDB on-demand capacity mode", initial throughput: a new table takes 4,000 write
# units a second, which is four partitions.
NEW_TABLE_PARTITIONS = 4
# DynamoDB, "Quotas in Amazon DynamoDB": write units a second of an on-demand table, unless raised.
TABLE_QUOTA = 40_000

# Lambda, "Using AWS Lambda with Amazon DynamoDB": one batch of a shard at a time, unless
# ParallelizationFactor says more. DynamoDB, "Change data capture for DynamoDB Streams": a partition
# of the table has a shard.
SHARDS_A_PARTITION = 1
# Lambda, "Configure Lambda function memory": 1,769 MB are one processor.
MEMORY_OF_A_PROCESSOR_MB = 1_769
# Lambda, "Lambda quotas": executions at once of an account, unless raised.
ACCOUNT_EXECUTIONS = 1_000
# SQS, "Amazon SQS quotas": messages of a standard queue that are worked on at once. Its calls have
# no limit that matters here.
IN_FLIGHT = 120_000

# Not published, so assumed: what a call takes, in seconds. DynamoDB says "single-digit
# milliseconds" for one item; S3, "Performance design patterns", says 100 to 200 ms for small
# objects, in the region some tens. Only a real account can tell.
SECONDS: Mapping[str, float] = {
    "dynamodb:GetItem": 0.005,
    "dynamodb:BatchGetItem": 0.010,
    "dynamodb:Query": 0.010,
    "dynamodb:Scan": 0.050,
    "dynamodb:PutItem": 0.008,
    "dynamodb:UpdateItem": 0.008,
    "dynamodb:DeleteItem": 0.008,
    "dynamodb:TransactWriteItems": 0.020,
    "s3:GetObject": 0.040,
    "s3:HeadObject": 0.030,
    "s3:ListObjectsV2": 0.060,
    "s3:PutObject": 0.060,
    "sqs:SendMessageBatch": 0.020,
    "sesv2:SendEmail": 0.100,
}
OTHER_CALL_S = 0.060
# How long a transaction holds its items: all of the call.
