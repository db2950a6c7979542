"""The one region that every command works in."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.errors import CommandError
from cli.region import region


@pytest.fixture(autouse=True)
def _profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text("[profile shop]\nregion = eu-west-1\n[profile bare]\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_REGION": "eu-west-1"},
        {"AWS_DEFAULT_REGION": "eu-west-1"},
        {"AWS_PROFILE": "shop"},
        {"AWS_DEFAULT_PROFILE": "shop"},
        {"AWS_PROFILE": "bare", "AWS_REGION": "eu-west-1"},
        {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_PROFILE": "shop"},
    ],
)
def test_whatever_names_a_region_decides(environment: dict[str, str]) -> None:
    assert region(environment) == "eu-west-1"


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-1"},
        {"AWS_REGION": "eu-west-3", "AWS_PROFILE": "shop"},
        {"AWS_DEFAULT_REGION": "eu-west-3", "AWS_PROFILE": "shop"},
    ],
)
def test_two_that_differ_are_refused_and_named(environment: dict[str, str]) -> None:
    with pytest.raises(CommandError) as refused:
        region(environment)
    (line,) = refused.value.lines
    assert "eu-west-3" in line
    assert "eu-west-1" in line


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({}, "no AWS region: set AWS_REGION, or a profile with AWS_PROFILE"),
        ({"AWS_PROFILE": "bare"}, "no AWS region: set AWS_REGION, or a profile with AWS_PROFILE"),
        ({"AWS_PROFILE": "typo"}, "no AWS profile typo: see AWS_PROFILE"),
    ],
)
def test_none_and_an_unknown_profile_are_said(environment: dict[str, str], line: str) -> None:
    with pytest.raises(CommandError) as refused:
        region(environment)
    assert refused.value.lines == (line,)
