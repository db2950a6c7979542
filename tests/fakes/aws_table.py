"""The table as the template makes it, for tests on moto: keys and the three indexes."""

from __future__ import annotations

from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_dynamodb.literals import ProjectionTypeType

# Each index with what it has of an item.
INDEXES: dict[str, ProjectionTypeType] = {"agenda": "ALL", "due": "KEYS_ONLY", "holder": "ALL"}


def make_table(client: DynamoDBClient, name: str) -> None:
    """Create the table, empty."""
    keys = ["pk", "sk", *(f"{index}_{part}" for index in INDEXES for part in ("pk", "sk"))]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": f"{index}_pk", "KeyType": "HASH"},
                    {"AttributeName": f"{index}_sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": projection},
            }
            for index, projection in INDEXES.items()
        ],
    )
