"""Where people of the ops pool sign in, as the packaged template has it."""

from __future__ import annotations

from typing import Any

from chalicelib.api.operations import OPERATIONS
from infra.pages import SIGN_IN, sign_in_settings
from local.deployment import ROLES

Resource = dict[str, Any]
Resources = dict[str, Resource]

CALLBACKS = [
    {
        "Fn::If": [
            "OwnOrigin",
            {"Fn::Sub": "${Origin}/dashboard/"},
            {"Fn::Sub": "https://${Distribution.DomainName}/dashboard/"},
        ]
    }
]


def test_the_pool_has_a_group_for_each_role_that_the_api_asks_for(resources: Resources) -> None:
    groups = {
        one["Properties"]["GroupName"]
        for one in resources.values()
        if one["Type"] == "AWS::Cognito::UserPoolGroup"
    }
    assert groups == {role for one in OPERATIONS for role in one.roles} == set(ROLES)


def test_the_dashboard_signs_in_by_a_code_for_its_own_page_alone(resources: Resources) -> None:
    client = resources["DashboardClient"]["Properties"]
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["GenerateSecret"] is False
    assert client["CallbackURLs"] == client["LogoutURLs"] == CALLBACKS
    # With `aws.cognito.signin.user.admin` its tokens could change a password or a second factor.
    assert client["AllowedOAuthScopes"] == ["openid"]
    assert client["SupportedIdentityProviders"] == ["COGNITO"]
    assert not {flow for flow in client["ExplicitAuthFlows"] if "PASSWORD" in flow}
    assert client["EnableTokenRevocation"] is True
    assert client["PreventUserExistenceErrors"] == "ENABLED"


def test_a_session_lasts_twelve_hours_and_a_token_a_quarter_of_one(resources: Resources) -> None:
    client = resources["DashboardClient"]["Properties"]
    units = client["TokenValidityUnits"]
    assert (client["RefreshTokenValidity"], units["RefreshToken"]) == (12, "hours")
    for token in ("IdToken", "AccessToken"):
        assert (client[f"{token}Validity"], units[token]) == (15, "minutes")


def test_a_password_is_taken_by_an_api_from_nobody_without_aws_credentials(
    resources: Resources,
) -> None:
    client = resources["OpsClient"]["Properties"]
    assert set(client["ExplicitAuthFlows"]) == {
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    }
    assert "AllowedOAuthFlows" not in client
    lasts = {client[f"{token}Validity"] for token in ("IdToken", "AccessToken")}
    assert lasts == {60}
    assert client["RefreshTokenValidity"] > 60  # Cognito takes no other
    assert set(client["TokenValidityUnits"].values()) == {"minutes"}


def test_the_pools_pages_are_shown_and_in_french_too(resources: Resources) -> None:
    """Version 2 has languages, and shows nothing to a client without a style."""
    assert resources["OpsPool"]["Properties"]["UserPoolTier"] == "ESSENTIALS"
    assert resources["SignInDomain"]["Properties"]["ManagedLoginVersion"] == 2
    style = resources["SignInStyle"]["Properties"]
    assert style["ClientId"] == {"Ref": "DashboardClient"}
    assert style["UseCognitoProvidedValues"] is True


def test_who_is_invited_reads_the_account_and_its_password_in_two_languages(
    resources: Resources,
) -> None:
    invited = resources["OpsPool"]["Properties"]["AdminCreateUserConfig"]["InviteMessageTemplate"]
    assert set(invited) == {"EmailSubject", "EmailMessage"}
    for language in invited["EmailMessage"].split("Hello,"):
        assert "{username}" in language
        assert "{####}" in language


def test_a_page_reaches_the_token_endpoint_at_its_own_address(resources: Resources) -> None:
    config = resources["Distribution"]["Properties"]["DistributionConfig"]
    (origin,) = [one for one in config["Origins"] if one["Id"] == "sign-in"]
    assert origin["DomainName"] == {
        "Fn::Sub": "${SignInDomain}.auth.${AWS::Region}.amazoncognito.com"
    }
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert "OriginCustomHeaders" not in origin  # the API's key is nobody else's
    (behaviour,) = [one for one in config["CacheBehaviors"] if one["PathPattern"] == "/oauth2/*"]
    (of_api,) = [one for one in config["CacheBehaviors"] if one["PathPattern"] == "/v1/*"]
    alike = {name for name in of_api if behaviour[name] == of_api[name]}
    assert set(of_api) - alike == {"PathPattern", "TargetOriginId"}
    assert behaviour["TargetOriginId"] == "sign-in"


def test_no_resource_of_the_template_needs_itself(resources: Resources) -> None:
    """The pool's client names the distribution, and the distribution the pool's pages."""
    needs = {name: _named(resource) & set(resources) for name, resource in resources.items()}
    assert {"Distribution", "OpsPool"} <= needs["DashboardClient"]
    assert "SignInDomain" in needs["Distribution"]
    while free := [name for name, others in needs.items() if not others & set(needs)]:
        for name in free:
            del needs[name]
    assert needs == {}


def _named(value: Any) -> set[str]:
    """The resources that a value names, by whatever function."""
    if isinstance(value, list):
        return set().union(*map(_named, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(_named, value.values()))
    if "Ref" in value:
        found.add(str(value["Ref"]))
    if "Fn::GetAtt" in value:
        got = value["Fn::GetAtt"]
        found.add(got.split(".")[0] if isinstance(got, str) else got[0])
    if "Fn::Sub" in value:
        text = value["Fn::Sub"] if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"][0]
        found |= {part.split("}")[0].split(".")[0] for part in text.split("${")[1:]}
    depends = value.get("DependsOn", [])
    return found | ({depends} if isinstance(depends, str) else set(depends))


def test_the_page_is_told_where_to_sign_in() -> None:
    outputs = {
        "DashboardClientId": "cl1ent",
        "SignInUrl": "https://tandem-prod-1.auth.eu-west-3.amazoncognito.com",
        "Origin": "https://shop.example",
    }
    assert SIGN_IN == "dashboard/sign-in.json"
    assert sign_in_settings(outputs) == (
        b'{"sign_in": "https://tandem-prod-1.auth.eu-west-3.amazoncognito.com",'
        b' "client": "cl1ent", "callback": "https://shop.example/dashboard/"}'
    )
    assert sign_in_settings({"Origin": "https://shop.example"}) is None
