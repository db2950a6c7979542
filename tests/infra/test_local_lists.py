"""What building and quarantining lists needs of the stack, tried on the emulator: layer,
permissions.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from local.emulator import REGION
from local.running import Stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("local-stack")]

ASKS_FOR_NUMPY = """
def handler(event, context):
    import numpy
    return {"from": numpy.__file__, "sum": int(numpy.arange(event["below"]).sum())}
"""


def invoked(stack: Stack, name: str, layers: list[str]) -> tuple[bool, str]:
    """Whether a function with these layers could use numpy, and what it answered.

    It runs on Ingest's runtime and under Ingest's role, with a few lines of its own.
    """
    functions = stack.session.client("lambda", endpoint_url=stack.endpoint)
    ingest = functions.get_function_configuration(FunctionName="tandem-local-ingest")
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("probe.py", ASKS_FOR_NUMPY)
    functions.create_function(
        FunctionName=name,
        Runtime=ingest["Runtime"],
        Role=ingest["Role"],
        Handler="probe.handler",
        Code={"ZipFile": zipped.getvalue()},
        Layers=layers,
        Timeout=30,
    )
    answer = functions.invoke(FunctionName=name, Payload=b'{"below": 5}')
    functions.delete_function(FunctionName=name)
    return "FunctionError" not in answer, answer["Payload"].read().decode()


def test_ingest_gets_numpy_from_its_layer_and_nowhere_else(stack: Stack) -> None:
    functions = stack.session.client("lambda", endpoint_url=stack.endpoint)
    found = {
        function["FunctionName"]: [layer["Arn"] for layer in function.get("Layers", [])]
        for function in functions.list_functions()["Functions"]
    }
    (layer,) = (one for one in found.pop("tandem-local-ingest") if "-lists:" in one)
    assert not [one for layers in found.values() for one in layers if "-lists:" in one]
    ended_well, answer = invoked(stack, "with-layer", [layer])
    assert ended_well, answer
    assert json.loads(answer)["sum"] == 10
    assert "/layer_0/python/numpy/" in json.loads(answer)["from"]
    assert invoked(stack, "without-layer", [])[0] is False


@pytest.fixture(scope="module")
def as_ingest(stack: Stack) -> S3Client:
    """S3 as the function may use it: a principal with the policies of its role."""
    iam = stack.session.client("iam", endpoint_url=stack.endpoint)
    functions = stack.session.client("lambda", endpoint_url=stack.endpoint)
    ingest = functions.get_function_configuration(FunctionName="tandem-local-ingest")
    role = ingest["Role"].rpartition("/")[2]
    iam.create_user(UserName="as-ingest")
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        iam.put_user_policy(
            UserName="as-ingest", PolicyName=policy, PolicyDocument=json.dumps(document)
        )
    key = iam.create_access_key(UserName="as-ingest")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    return session.client("s3", endpoint_url=stack.endpoint)


def test_ingest_may_move_the_very_version_that_was_dropped_to_quarantine(
    stack: Stack, as_ingest: S3Client
) -> None:
    bucket, path = stack.bucket, "in/nobody/customers/full/plain.csv"
    former, plain, later = (
        stack.s3.put_object(Bucket=bucket, Key=path, Body=body)["VersionId"]
        for body in (b"former", b"plain", b"later")
    )
    read = as_ingest.get_object(Bucket=bucket, Key=path, VersionId=plain)
    assert read["Body"].read() == b"plain"
    as_ingest.copy_object(
        Bucket=bucket,
        Key="quarantine/plain",
        CopySource={"Bucket": bucket, "Key": path, "VersionId": plain},
    )
    as_ingest.delete_object(Bucket=bucket, Key=path, VersionId=plain)
    kept = stack.s3.list_object_versions(Bucket=bucket, Prefix=path)
    assert {version["VersionId"] for version in kept["Versions"]} == {former, later}
    assert not kept.get("DeleteMarkers")
    quarantined = stack.s3.get_object(Bucket=bucket, Key="quarantine/plain")
    assert quarantined["Body"].read() == b"plain"


def test_ingest_may_upload_a_segment_in_parts_and_may_give_it_up(
    stack: Stack, as_ingest: S3Client
) -> None:
    bucket, path = stack.bucket, "lists/nobody/customers/1"

    def part(upload: str, number: int, body: bytes) -> CompletedPartTypeDef:
        answer = as_ingest.upload_part(
            Bucket=bucket, Key=path, UploadId=upload, PartNumber=number, Body=body
        )
        return {"PartNumber": number, "ETag": answer["ETag"]}

    given_up = as_ingest.create_multipart_upload(Bucket=bucket, Key=path)["UploadId"]
    part(given_up, 1, b"half")
    as_ingest.abort_multipart_upload(Bucket=bucket, Key=path, UploadId=given_up)
    assert not stack.s3.list_multipart_uploads(Bucket=bucket).get("Uploads")

    begun = as_ingest.create_multipart_upload(Bucket=bucket, Key=path)["UploadId"]
    end, start = part(begun, 2, b"end"), part(begun, 1, b"b" * (5 * 1024 * 1024))
    made = as_ingest.complete_multipart_upload(
        Bucket=bucket, Key=path, UploadId=begun, MultipartUpload={"Parts": [start, end]}
    )
    read = as_ingest.get_object(Bucket=bucket, Key=path, Range="bytes=-4", IfMatch=made["ETag"])
    assert read["Body"].read() == b"bend"
    with pytest.raises(ClientError, match="PreconditionFailed"):
        as_ingest.get_object(Bucket=bucket, Key=path, Range="bytes=-4", IfMatch='"another"')


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("delete_object", "lists/nobody/customers/2"),
        ("delete_object", "out/nobody/receipts/a.json"),
        ("delete_object", "quarantine/a"),
        ("get_object", "quarantine/a"),
        ("put_object", "in/nobody/customers/full/a.csv"),
    ],
)
def test_ingest_may_do_nothing_more_to_the_bucket(
    stack: Stack, as_ingest: S3Client, call: str, path: str
) -> None:
    if call != "put_object":
        stack.s3.put_object(Bucket=stack.bucket, Key=path, Body=b"kept")
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(as_ingest, call)(Bucket=stack.bucket, Key=path)
