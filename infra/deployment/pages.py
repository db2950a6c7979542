"""Puts the pages of a release where CloudFront reads them."""

from __future__ import annotations

import mimetypes
import time
from typing import TYPE_CHECKING

from infra.deployment.releases import Release, unzipped

if TYPE_CHECKING:
    import boto3


def publish(session: boto3.Session, release: Release, bucket: str, distribution: str) -> None:
    """Upload all pages, scripts before the pages that name them; then remove what is too much."""
    s3 = session.client("s3")
    pages = dict(unzipped(release.pages))
    for path in sorted(pages, key=lambda path: (path.endswith(".html"), path)):
        s3.put_object(
            Bucket=bucket,
            Key=path,
            Body=pages[path],
            ContentType=mimetypes.guess_type(path)[0] or "application/octet-stream",
            CacheControl="no-cache",
        )
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            if found["Key"] not in pages:
                s3.delete_object(Bucket=bucket, Key=found["Key"])
    session.client("cloudfront").create_invalidation(
        DistributionId=distribution,
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": str(time.time_ns()),
        },
    )
