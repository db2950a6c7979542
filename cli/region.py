"""The one region that every command works in.

The AWS command line reads AWS_DEFAULT_REGION alone, other tools AWS_REGION, and a profile has a
region of its own. Any one of them decides; two that differ are refused, because tools that
disagree make a bucket in one region and a stack in another.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import botocore.session
from botocore.exceptions import ProfileNotFound

from cli.errors import CommandError

VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


def region(environment: Mapping[str, str] = os.environ) -> str:
    """The region that the environment or the profile names.

    Raises CommandError when none is named, when two differ and when there is no such profile.
    """
    named = {name: environment[name] for name in VARIABLES if environment.get(name)}
    profile = _profile(environment)
    if configured := _region_of_profile(profile):
        named[f"profile {profile or 'default'}"] = configured
    if not named:
        raise CommandError("no AWS region: set AWS_REGION, or a profile with AWS_PROFILE")
    if len(set(named.values())) > 1:
        values = ", ".join(f"{name} is {value}" for name, value in named.items())
        raise CommandError(
            f"the AWS region is not clear: {values}. Set one, or let all be the same"
        )
    return next(iter(named.values()))


def _profile(environment: Mapping[str, str]) -> str | None:
    return environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE") or None


def _region_of_profile(profile: str | None) -> str | None:
    try:
        found = botocore.session.Session(profile=profile).get_scoped_config().get("region")
    except ProfileNotFound as error:
        raise CommandError(f"no AWS profile {profile}: see AWS_PROFILE") from error
    return str(found) if found else None
