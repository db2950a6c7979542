"""Campaign files are put in force as versions, and none is ever changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import Result

from chalicelib.adapters.codes import SecureCodes
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.facts import FactName
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ports import ConflictError, ContentionError, Insert
from cli.campaign_file import campaign_of
from local.demo.lists import with_pictures
from tests.cli.conftest import BUCKET, REGION

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bucket")]

DEMO = Path(__file__).parents[2] / "local/demo/demo-vip.yaml"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Tandem = Callable[..., Result]


class Ports:
    """The ports that putting a campaign needs."""

    def __init__(self, repository: DynamoRepository) -> None:
        self.repository = repository
        self.codes = SecureCodes()

    def clock(self) -> datetime:
        return NOW


@pytest.fixture
def ports(repository: DynamoRepository) -> Ports:
    return Ports(repository)


def campaign(invitation_days: int = 14) -> Campaign:
    return campaign_of(DEMO.read_bytes()).model_copy(update={"invitation_days": invitation_days})


def test_the_first_file_is_version_1_and_leaves_a_fact(ports: Ports) -> None:
    put = put_campaign(ports, campaign())
    assert (put.version, put.document.version, put.put_at) == (1, 1, NOW)
    in_force = ports.repository.get(CurrentCampaign, campaign="demo-vip")
    assert in_force is not None
    assert in_force.document == put.document
    (happened,) = ports.repository.facts_of("demo-vip", NOW, NOW)
    assert (happened.name, happened.details) == (FactName.CAMPAIGN_PUT, {"version": 1})


def test_a_changed_file_is_put_beside_the_one_before_which_stays_as_it_was(ports: Ports) -> None:
    put_campaign(ports, campaign(invitation_days=14))
    put_campaign(ports, campaign(invitation_days=7))
    versions = list(ports.repository.within(CampaignVersion, campaign="demo-vip"))
    assert [(v.version, v.document.invitation_days) for v in versions] == [(1, 14), (2, 7)]
    in_force = ports.repository.get(CurrentCampaign, campaign="demo-vip")
    assert in_force is not None
    assert (in_force.version, in_force.document.invitation_days) == (2, 7)


def test_the_file_in_force_makes_no_new_version(ports: Ports) -> None:
    put_campaign(ports, campaign())
    assert put_campaign(ports, campaign()).version == 1
    assert len(list(ports.repository.within(CampaignVersion, campaign="demo-vip"))) == 1
    assert len(list(ports.repository.facts_of("demo-vip", NOW, NOW))) == 1


def test_a_file_of_old_is_a_new_version_when_another_is_in_force(ports: Ports) -> None:
    for days in (14, 7, 14):
        put_campaign(ports, campaign(invitation_days=days))
    in_force = ports.repository.get(CurrentCampaign, campaign="demo-vip")
    assert in_force is not None
    assert (in_force.version, in_force.document.invitation_days) == (3, 14)


class Overtaken(DynamoRepository):
    """A table in which somebody else puts a version just before the first commit."""

    def __init__(self, table: DynamoRepository) -> None:
        self.__dict__.update(vars(table))
        self._others = [lambda: put_campaign(Ports(table), campaign(invitation_days=7))]

    def commit(self, *changes: Any, **facts: Any) -> None:
        while self._others:
            self._others.pop()()
        super().commit(*changes, **facts)


@pytest.mark.parametrize("earlier", [[], [3]])
def test_of_two_files_put_at_once_both_become_versions(ports: Ports, earlier: list[int]) -> None:
    for days in earlier:
        put_campaign(ports, campaign(invitation_days=days))
    put = put_campaign(Ports(Overtaken(ports.repository)), campaign(invitation_days=14))
    versions = list(ports.repository.within(CampaignVersion, campaign="demo-vip"))
    assert [v.document.invitation_days for v in versions] == [*earlier, 7, 14]
    assert put.version == len(versions)


def test_an_existing_version_is_never_overwritten(ports: Ports) -> None:
    old = CampaignVersion(campaign="demo-vip", version=1, put_at=NOW, document=campaign(7))
    ports.repository.commit(Insert(old))
    with pytest.raises(ContentionError) as refused:
        put_campaign(ports, campaign(14))
    assert isinstance(refused.value.__cause__, ConflictError)
    (kept,) = ports.repository.within(CampaignVersion, campaign="demo-vip")
    assert kept.document == old.document
    assert ports.repository.get(CurrentCampaign, campaign="demo-vip") is None
    assert list(ports.repository.facts_of("demo-vip", NOW, NOW)) == []


@pytest.mark.usefixtures("stack")
def test_put_says_which_version_is_in_force(tandem: Tandem, tmp_path: Path) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text(DEMO.read_text().replace("invitation_days: 14", "invitation_days: 7"))
    said = [tandem("campaign", "put", file).stdout for file in (DEMO, DEMO, changed)]
    assert said == [
        "campaign demo-vip: in force as version 1\n",
        "campaign demo-vip: already in force as version 1\n",
        "campaign demo-vip: in force as version 2\n",
    ]


def test_put_first_names_the_rules_and_templates_that_vanish_or_grant_otherwise(
    stack: DynamoRepository, tandem: Tandem, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.yaml"
    text = DEMO.read_text().replace("id: sponsor-reward", "id: thanks")
    changed.write_text(text.replace("value: 5.00", "value: 6.00"))
    assert tandem("campaign", "put", DEMO).stderr == ""
    named = [
        "rule sponsor-reward: vanishes; what is reported from now on earns nothing by it",
        "rule thanks: new; what was reported before earns nothing by it",
        "template second-order: value 5.00 → 6.00; vouchers that are issued stay as they are",
    ]
    tried = tandem("campaign", "put", "--dry-run", changed)
    fields = tried.stderr.splitlines()[: -len(named)]
    assert "templates.second-order.value: 5.00 → 6.00" in fields
    assert tried.stderr.splitlines()[-len(named) :] == named
    assert tried.stdout == "campaign demo-vip: nothing was put\n"
    in_force = stack.get(CurrentCampaign, campaign="demo-vip")
    assert in_force is not None
    assert in_force.version == 1
    put = tandem("campaign", "put", changed)
    assert put.stderr == tried.stderr
    assert put.stdout == "campaign demo-vip: in force as version 2\n"


def test_a_file_with_a_key_that_the_stack_lacks_is_not_put(
    stack: DynamoRepository, tandem: Tandem, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(DEMO.read_text().replace("key_ids: [demo]", "key_ids: [absent]"))
    with_pictures(other)
    result = tandem("campaign", "put", other)
    assert result.exit_code == 1
    assert "digests.key_ids: the stack has no key absent" in result.stderr
    assert stack.get(CurrentCampaign, campaign="demo-vip") is None


def test_a_wrong_file_is_not_put(stack: DynamoRepository, tandem: Tandem, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(DEMO.read_text().replace("country: FR", "country: France"))
    result = tandem("campaign", "put", wrong)
    assert result.exit_code == 1
    assert ": country: must be a country code of two capitals, like FR" in result.stderr
    assert stack.get(CurrentCampaign, campaign="demo-vip") is None


@pytest.mark.usefixtures("stack")
def test_the_campaigns_in_force_are_listed(tandem: Tandem) -> None:
    tandem("campaign", "put", DEMO)
    heading, line = tandem("campaign", "list").stdout.splitlines()
    assert heading.split()[:2] == ["campaign", "version"]
    assert line.split()[:6] == ["demo-vip", "1", "Maison", "Demo", "2026-01-01", "2030-12-31"]


@pytest.mark.usefixtures("stack")
def test_what_show_prints_can_be_put_again(tandem: Tandem, tmp_path: Path) -> None:
    tandem("campaign", "put", DEMO)
    shown = tandem("campaign", "show", "demo-vip").stdout
    assert shown.startswith("# version 1, put at ")
    again = tmp_path / "again.yaml"
    again.write_text(shown)
    assert tandem("campaign", "put", again).stdout == (
        "campaign demo-vip: already in force as version 1\n"
    )


@pytest.mark.usefixtures("stack")
def test_show_reports_an_unknown_campaign(tandem: Tandem) -> None:
    result = tandem("campaign", "show", "none")
    assert result.exit_code == 1
    assert result.stderr == "no campaign none: list them with: tandem campaign list\n"


@pytest.mark.usefixtures("stack")
def test_a_new_campaign_needs_its_pictures_beside_it(tandem: Tandem, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(DEMO.read_text())
    result = tandem("campaign", "put", new)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"{new}:20:9: brand.logo: there is no file logo.svg beside new.yaml",
        f"{new}:21:14: brand.mail_logo: there is no file logo.png beside new.yaml",
    ]


def test_pictures_are_stored_under_the_name_of_their_bytes_with_their_type(
    stack: DynamoRepository, tandem: Tandem
) -> None:
    tandem("campaign", "put", DEMO)
    in_force = stack.get(CurrentCampaign, campaign="demo-vip")
    assert in_force is not None
    campaign = in_force.document
    for name, kind in (("logo.svg", "image/svg+xml"), ("logo.png", "image/png")):
        content = (DEMO.parent / name).read_bytes()
        path = campaign.picture_path(name)
        assert path == f"pictures/demo-vip/{sha256(content).hexdigest()[:32]}{name[4:]}"
        stored = boto3.client("s3", region_name=REGION).get_object(Bucket=BUCKET, Key=path)
        assert (stored["Body"].read(), stored["ContentType"]) == (content, kind)


def test_another_picture_under_the_same_name_is_another_version(
    stack: DynamoRepository, tandem: Tandem, tmp_path: Path
) -> None:
    file = with_pictures(tmp_path / "demo.yaml")
    file.write_text(DEMO.read_text())
    assert "version 1" in tandem("campaign", "put", file).stdout
    logo = tmp_path / "logo.svg"
    logo.write_text(logo.read_text().replace("#1f4e3d", "#4e1f3d"))
    assert "in force as version 2" in tandem("campaign", "put", file).stdout
    first, second = stack.within(CampaignVersion, campaign="demo-vip")
    assert first.document.picture_path("logo.svg") != second.document.picture_path("logo.svg")
