"""What a browser sends for the page of another site, which it says in `Sec-Fetch-Site`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.api.operations import OPERATIONS
from tests.api.gateway import Answer, Request
from tests.api.requests import GOOD, OF_CAMPAIGN
from tests.api.world import CAMPAIGN, OTHER_VIP, STRANGER, VIP, World, posting

pytestmark = pytest.mark.slow

FOR_MAIL_PROGRAMS = "unsubscribe"
ACTING = [one.name for one in OPERATIONS if one.method != "GET" and one.name != FOR_MAIL_PROGRAMS]
READING = [one.name for one in OPERATIONS if one.method == "GET"]


def _sent_from(request: Request, site: str) -> Request:
    return request.with_body(request.body, Sec_Fetch_Site=site)


@pytest.mark.parametrize("operation", ACTING)
def test_what_the_page_of_another_site_has_sent_is_403_and_changes_nothing(
    world: World, operation: str
) -> None:
    request = GOOD[operation](world)
    table = world.table()
    answer = world.ask(_sent_from(request, "cross-site"))
    assert (answer.status, answer.problem) == (403, "cross-site")
    assert world.table() == table


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_a_page_of_ours_and_a_person_alone_are_answered(world: World, site: str) -> None:
    assert world.ask(_sent_from(GOOD["sign_in"](world), site)).status == 202


@pytest.mark.parametrize("operation", READING)
def test_a_link_on_another_site_is_answered_since_reading_changes_nothing(
    world: World, operation: str
) -> None:
    request = GOOD[operation](world)
    seen = {world.ask(_sent_from(request, site)).status for site in ("cross-site", "none")}
    [described] = [one for one in OPERATIONS if one.name == operation]
    assert seen == {next(iter(described.answers))}


def test_unsubscribing_works_from_anywhere_and_with_any_form(world: World) -> None:
    request = GOOD[FOR_MAIL_PROGRAMS](world)
    assert world.ask(_sent_from(request, "cross-site")).status == 200
    assert world.ask(replace(request, headers={})).status == 200
    assert "OPPOSITION" in {item.get("kind", {}).get("S") for item in world.table()}


@pytest.mark.parametrize("site", ["cross-site", "same-origin"])
@pytest.mark.parametrize("typed", [True, False])
def test_law_8_a_refused_body_is_refused_alike_for_everybody(
    world: World, site: str, typed: bool
) -> None:
    """Before anything is looked at: no call is made, and no byte depends on the address."""

    def sent(path: str, body: dict[str, str]) -> Answer:
        request = _sent_from(posting(path, body), site)
        if not typed:
            request = replace(request, headers={"Sec-Fetch-Site": site})
        with world.recorder.recording() as calls:
            answer = world.ask(request)
        assert (calls == []) is (site == "cross-site" or not typed)
        return answer

    link = world.link_code(world.sign_in(OTHER_VIP))
    wish = {"campaign": CAMPAIGN, "wish": "export"}
    for path, body in (
        (f"{OF_CAMPAIGN}/sign-in", {}),
        (f"{OF_CAMPAIGN}/links/{link}/sign-up", {}),
        ("/v1/privacy/requests", wish),
    ):
        seen = [sent(path, body | {"email": address}) for address in (VIP, STRANGER)]
        assert seen[0] == seen[1]
