"""Puts the pages of a release where CloudFront reads them."""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from infra.deployment.releases import Release, unzipped
from infra.pages import SIGN_IN, sign_in_settings

if TYPE_CHECKING:
    import boto3


def publish(session: boto3.Session, release: Release, outputs: Mapping[str, str]) -> None:
    """Upload all pages, scripts before the pages that name them; then remove what is too much."""
    s3, bucket = session.client("s3"), outputs["WebBucketName"]
    pages = dict(unzipped(release.pages))
    if settings := sign_in_settings(outputs):
        pages[SIGN_IN] = settings
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
        DistributionId=outputs["DistributionId"],
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": str(time.time_ns()),
        },
    )
