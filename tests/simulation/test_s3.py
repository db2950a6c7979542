"""The bucket of the simulation behaves as S3 does where the adapters rely on it."""

from __future__ import annotations

import pytest
from boto3.session import Session

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.lists.reader import SegmentGoneError
from chalicelib.adapters.s3 import BucketFiles, BucketSegments
from chalicelib.services.file_ports import EARLIEST, FileMissingError
from tests.api.world import BUCKET, REGION
from tests.simulation.dynamodb import Table
from tests.simulation.s3 import PAGE
from tests.simulation.wire import Network

PATH = "in/a campaign/orders/été+1.csv"
MOVED = "in/quarantine/1.csv"


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(Table())


@pytest.fixture(scope="module")
def clients(network: Network) -> Clients:
    session = Session("test", "test", region_name=REGION)
    network.attach(session)
    return Clients(session)


@pytest.fixture(autouse=True)
def _empty(network: Network) -> None:
    network.bucket.files.clear()


@pytest.fixture
def files(clients: Clients) -> BucketFiles:
    return BucketFiles(clients, BUCKET)


def whole(files: BucketFiles, path: str, version: str | None = None) -> bytes:
    return b"".join(files.read(path, version))


def test_a_file_is_written_once(files: BucketFiles) -> None:
    assert files.write_once(PATH, b"first") is True
    assert files.write_once(PATH, b"second") is False
    assert whole(files, PATH) == b"first"


def test_every_version_can_be_read(files: BucketFiles) -> None:
    files.write(PATH, b"first")
    files.write(PATH, b"second")
    newest, oldest = files.versions(PATH)
    assert (whole(files, PATH), whole(files, PATH, oldest)) == (b"second", b"first")
    assert whole(files, PATH, newest) == b"second"


def test_a_moved_file_leaves_nothing_behind(files: BucketFiles) -> None:
    files.write(PATH, b"content")
    files.move(PATH, MOVED)
    files.move(PATH, MOVED)
    assert (files.versions(PATH), whole(files, MOVED)) == ([], b"content")
    with pytest.raises(FileMissingError):
        whole(files, PATH)


def test_a_deletion_without_a_version_hides_a_file(files: BucketFiles, clients: Clients) -> None:
    files.write(PATH, b"content")
    [version] = files.versions(PATH)
    clients.s3.delete_object(Bucket=BUCKET, Key=PATH)
    assert (files.paths("in/"), whole(files, PATH, version)) == ([], b"content")
    assert files.write_once(PATH, b"again") is True


def test_a_listing_has_every_page(files: BucketFiles) -> None:
    paths = [f"out/a campaign/{number:04}" for number in range(1001)]
    for path in paths:
        files.write(path, b"")
    assert files.paths("out/") == paths


def test_a_range_is_read_of_the_known_object_alone(clients: Clients) -> None:
    segments = BucketSegments(clients, BUCKET)
    etag = segments.put("lists/1", b"0123456789")
    assert segments.fetch("lists/1", 2, 5, etag) == b"234"
    segments.put("lists/1", b"9876543210")
    with pytest.raises(SegmentGoneError):
        segments.fetch("lists/1", 2, 5, etag)


def test_more_versions_than_a_page_are_listed_and_one_is_erased(files: BucketFiles) -> None:
    for number in range(PAGE + 2):
        files.write(f"lists/é {number:05}", b"x")
    written = files.written_since("lists/", EARLIEST)
    assert len(set(written)) == PAGE + 2
    files.erase(written[0])
    assert files.written_since("lists/", EARLIEST) == written[1:]
