"""People's rights on the deployed stack, each played to its end: who objects, who takes a consent
back, who asks for her data, who is forgotten. And rewards that wait for somebody's decision.

Everything goes over HTTP, through the mailbox and the bucket, or by the command line. Each test has
people of its own; the last ones look at what all of them have left behind.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import httpx
import pytest

from chalicelib.domain.addresses import OWN_KEY, OWN_KEY_ID, Address, AddressDigests, DigestKey
from local.demo.lists import CAMPAIGN_FILE, demo_key, digest_of, with_pictures
from local.demo.orders import order, order_item
from local.narration import Narrator
from local.running import Stack
from local.surfaces import Letter, Surfaces
from tests.e2e.conftest import hurried
from tests.e2e.test_lists import digests, dropped
from tests.e2e.test_second_campaign import run, sign_in
from tests.e2e.test_story import items, log_lines, tokens

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

BRAND, CAMPAIGN, NEXT = "rights", "rights", "rights-next"
# An order that is just large enough is reason enough to hold its rewards, and nothing else is.
REVIEW = """
review:
  hold_over: 0
  weights: {same_domain: 0, sequence: 0, burst: 0, in_seconds: 0, one_network: 0}
"""
PARIS, HOUR = ZoneInfo("Europe/Paris"), timedelta(hours=1)
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
# Who is forgotten, with the first name that she gave or that somebody gave for her.
ASKED = ("Asks.Rights+Canary@demo.test", "Ludivinette")
SPONSORED = ("sponsored.rights@demo.test", "Guillemette")
SPONSOR = ("forgotten.rights@demo.test", "Clothildine")
NAMES = {f"vip{number}.rights@demo.test": name for number, name in enumerate(
    ("Hildegardine", "Radegondine", "Sidoniette", "Walburgine", "Aldegondine"))}  # fmt: skip
VIPS = list(NAMES)

Referee = tuple[str, str | None] | str


@pytest.fixture(scope="module")
def worlds(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Surfaces, Surfaces]]:
    """Two campaigns of one brand with their lists; exports are made all the time."""
    text = CAMPAIGN_FILE.read_text(encoding="utf-8")
    text = re.sub(r"    canaries:.*\n.*\n.*\n", "", text).replace("  id: demo ", f"  id: {BRAND} ")
    both = []
    for name in (CAMPAIGN, NEXT):
        file = tmp_path_factory.mktemp(name) / "campaign.yaml"
        file.write_text(text.replace("campaign: demo-vip", f"campaign: {name}") + REVIEW)
        with_pictures(file)
        put = run(stack, "tandem", "campaign", "put", str(file))
        assert put.returncode == 0, put.stderr
        world = Surfaces(stack, name)
        customers = digests(*(f"customer{number}.rights@demo.test" for number in range(9)))
        assert dropped(world, "customers/full/all.csv", customers)["status"] == "accepted"
        assert dropped(world, "vips/full/all.csv", digests(SPONSOR[0], *VIPS))["rows"] == 6
        both.append(world)
    first, second = both
    with hurried(stack, "export"):
        yield first, second
    for world in both:
        world.close()


@pytest.fixture
def world(worlds: tuple[Surfaces, Surfaces]) -> Surfaces:
    return worlds[0]


# --- what people do ------------------------------------------------------------------------------


def address_of(who: str) -> str:
    return f"{who}.rights@demo.test"


def until(world: Surfaces, what: str, seen: Callable[[], object]) -> None:
    narrator = Narrator(world.stack)
    patience_s = world.stack.patience.file_s
    narrator.wait(what, lambda: int(bool(seen())), 1, patience_s)


def signed_in(world: Surfaces, address: str) -> str:
    return sign_in(world, address, NAMES.get(address, SPONSOR[1]))


def invite(
    world: Surfaces, session: str, *referees: tuple[str, str | None] | str
) -> httpx.Response:
    pairs = [(one, None) if isinstance(one, str) else one for one in referees]
    body = {"referees": [{"email": email, "first_name": name} for email, name in pairs]}
    return world.call("POST", "/sponsor/invitations", body, bearer=session)


def pair(referee: Referee) -> tuple[str, str | None]:
    return (referee, None) if isinstance(referee, str) else referee


def invited(world: Surfaces, session: str, referee: Referee) -> str:
    """The token of who is invited, once the mail is there."""
    assert invite(world, session, referee).status_code == 202
    address, _ = pair(referee)
    until(world, "invited", lambda: world.letters(address))
    return world.token_for(address, "referee")


def confirmed(world: Surfaces, session: str, referee: Referee, *, news: bool = False) -> str:
    """The token of who is invited and says yes."""
    token = invited(world, session, referee)
    yes = {"terms_version": "2026-01", "marketing_consent": news}
    answer = world.call("POST", f"/invitations/{token}/confirmation", yes)
    assert answer.status_code == 201, answer.text
    return token


def exported(world: Surfaces, address: str, count: int = 1) -> list[str]:
    """The codes of a holder, once so many are in exports."""
    held = digest_of(address)
    until(world, f"{count} exported", lambda: len(world.exported_codes(held)) == count)
    return world.exported_codes(held)


def acknowledge(world: Surfaces) -> None:
    """The client has loaded every export that there is."""
    for number in world.exports():
        if world.receipt(f"acks/{number}.ack") is None:
            assert dropped(world, f"acks/{number}.ack", b"")["status"] == "accepted"


def buy(world: Surfaces, address: str, order_id: str, amount: str = "65.00") -> None:
    row = order_item(order(address, order_id, "kept")) | {"amount": amount}
    [result] = world.as_client("POST", "/orders", {"orders": [row]}).json()["results"]
    assert (result["status"], result["effect"]) == (200, "recorded")


def header_of(world: Surfaces, letter: Letter) -> str:
    """The address in the header that mail programs act on."""
    mail = world.mail(letter)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return str(mail["List-Unsubscribe"]).strip("<>")


def opened(url: str) -> tuple[str, str]:
    """The page behind the header's address, and what its form posts to."""
    answer = httpx.get(url, trust_env=False, headers={"Accept-Language": "fr"})
    assert answer.status_code == 303
    page = urljoin(url, answer.headers["Location"])
    text = httpx.get(page, trust_env=False, headers={"Accept-Language": "fr"}).text
    [action] = set(re.findall(r'<form method="post" action="([^"]+)"', text))
    return text, urljoin(page, action)


def press(url: str, scope: str) -> str:
    """What the page says after a press, without a script."""
    answer = httpx.post(url, data={"scope": scope}, headers=FORM, trust_env=False)
    assert answer.status_code == 200
    return answer.text


def opposed(world: Surfaces) -> int:
    """How many were not invited because they had objected."""
    return int(world.dashboard()["refused_by_reason"].get("opposed", 0))


def said_to_the_brand(stack: Stack) -> list[dict[str, object]]:
    """Consents and objections."""
    return [one for one in items(stack) if one.get("brand") == BRAND]


def vouchers(stack: Stack, code: str) -> list[dict[str, object]]:
    return [one for one in items(stack) if one.get("printed") == code]


# --- what is left of somebody --------------------------------------------------------------------


def needles(stack: Stack, address: str, name: str) -> tuple[set[str], set[str]]:
    """All that says who somebody is, and her digests under our own key."""
    parsed = Address.parse(address)
    path = f"{stack.status()['keys_path']}{OWN_KEY}"
    parameters = stack.session.client("ssm", endpoint_url=stack.endpoint)
    secret = parameters.get_parameter(Name=path, WithDecryption=True)["Parameter"]["Value"]
    own = DigestKey(OWN_KEY_ID, "hmac_sha256", bytes.fromhex(secret))
    known = AddressDigests.of(parsed, [demo_key(), DigestKey("x", "sha256")])
    forms = {parsed.typed, parsed.normalised, parsed.canonical, parsed.mailbox}
    return {*forms, *known.values, name}, set(AddressDigests.of(parsed, [own]).values)


def stores(stack: Stack) -> Iterator[tuple[str, str]]:
    """Every place that keeps something, and what it has: items, each version of each object but the
    client's own lists, messages, lines of logs.
    """
    for item in items(stack):
        yield str(item.get("kind", "counts")), json.dumps(item, ensure_ascii=False, default=str)
    for bucket in (stack.bucket, stack.status()["roots_bucket"]):
        for page in stack.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", []):
                if not one["Key"].startswith(("in/", "lists/")):
                    yield one["Key"], content_of(stack, bucket, one["Key"], one["VersionId"])
    for queue in stack.sqs.list_queues()["QueueUrls"]:
        waiting = stack.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        yield from ((queue, message["Body"]) for message in waiting.get("Messages", []))
    yield from (("log", line) for line in log_lines(stack))


def content_of(stack: Stack, bucket: str, key: str, version: str) -> str:
    answer = stack.s3.get_object(Bucket=bucket, Key=key, VersionId=version)
    content = answer["Body"].read()
    plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    return f"{key} {plain.decode(errors='replace')}"


def traces(stack: Stack, address: str, name: str) -> set[str]:
    """Where somebody can still be found, but for an objection under our own key."""
    wanted, own = needles(stack, address, name)
    found = list(stores(stack))
    assert {"FACT", "log"} <= {place for place, _ in found}
    named = {place for place, text in found if any(one in text.lower() for one in lowered(wanted))}
    hashed = {place for place, text in found if any(one in text for one in own)}
    return named | hashed - {"OPPOSITION"}


def lowered(words: set[str]) -> set[str]:
    return {word.lower() for word in words}


def mails_after(world: Surfaces, before: int) -> str:
    """All mails that came since there were so many."""
    letters = world.letters()
    return " ".join(str(world.mail(one)) for one in letters[: len(letters) - before])


# --- objecting -----------------------------------------------------------------------------------


def test_law_9_who_objects_is_not_invited_and_gets_what_she_earned_until_she_wants_nothing(
    stack: Stack, worlds: tuple[Surfaces, Surfaces]
) -> None:
    world, following = worlds
    objector, presser, newcomer = (
        f"{one}.rights@demo.test" for one in ("objects", "presses", "new")
    )
    first, second = VIPS[:2]
    session = signed_in(world, first)
    confirmed(world, session, objector, news=True)
    exported(world, objector)

    url = header_of(world, world.letters(objector)[0])
    said = said_to_the_brand(stack)
    text, form = opened(url)
    assert "Maison Demo" in text
    assert "Ne plus rien recevoir du tout" in text
    assert form == url
    assert said_to_the_brand(stack) == said  # looking changes nothing

    one_click = {"List-Unsubscribe": "One-Click"}
    assert httpx.post(url, data=one_click, trust_env=False).status_code == 200
    invited(world, session, presser)
    _, form = opened(header_of(world, world.letters(presser)[0]))
    assert "C’est enregistré" in press(form, "invitations")

    hers = signed_in(following, second)
    answers = [invite(following, hers, one) for one in (objector, presser, newcomer)]
    assert [answer.status_code for answer in answers] == [202] * 3
    until(following, "invited", lambda: following.letters(newcomer))
    until(
        following, "refused", lambda: following.dashboard()["refused_by_reason"] == {"opposed": 2}
    )
    page = following.call("GET", "/sponsor", bearer=hers).json()
    assert {one["state"] for one in page["invitations"]} == {"pending"}
    assert [len(world.letters(one)) for one in (objector, presser)] == [1, 1]

    acknowledge(world)
    until(world, "what she had earned", lambda: world.codes_for(objector))
    _, form = opened(header_of(world, world.letters(objector)[0]))
    assert "pas même vos bons d’achat" in press(form, "all")
    buy(world, objector, "RIGHTS-1")
    [_, next_code] = exported(world, objector, 2)
    exported(world, first)
    acknowledge(world)
    until(world, "the sponsor's reward", lambda: world.codes_for(first))
    until(world, "her mail decided", lambda: len(voucher_mails(stack, next_code)) == 3)
    assert words(world, objector) == [
        ("given", "1", "confirmation"),
        ("withdrawn", "1", "unsubscribe"),
    ]
    assert len(world.letters(objector)) == 2
    assert world.as_client("GET", f"/vouchers/{next_code}").json()["acceptable"] is True


def voucher_mails(stack: Stack, code: str) -> list[str]:
    """What the log says became of the mails of vouchers by the same invitation."""
    [voucher] = vouchers(stack, code)
    lines = [json.loads(line) for line in log_lines(stack) if str(voucher["correlation"]) in line]
    mailed = [line for line in lines if line["message"] == "mailed"]
    return [line["outcome"] for line in mailed if line["fact"] == "voucher_acknowledged"]


# --- consent -------------------------------------------------------------------------------------


def words(world: Surfaces, address: str) -> list[tuple[str, str, str]]:
    """What the client reads of a person's consent."""
    held = digest_of(address)
    rows = [row for rows in world.consents().values() for row in rows if row["digest"] == held]
    return [(row["state"], row["wording"], row["source"]) for row in rows]


def test_law_9_a_consent_is_withdrawn_here_and_at_the_clients_and_the_later_word_wins(
    world: Surfaces,
) -> None:
    session = signed_in(world, VIPS[2])
    agrees, left, back = map(address_of, ("agrees", "left", "back"))
    token = confirmed(world, session, agrees, news=True)
    until(world, "given", lambda: words(world, agrees) == [("given", "1", "confirmation")])
    for _ in range(2):
        answer = world.call("POST", f"/invitations/{token}/consent-withdrawal")
        assert answer.status_code == 204
    until(world, "withdrawn", lambda: words(world, agrees)[1:] == [("withdrawn", "1", "page")])
    assert world.call("GET", f"/invitations/{token}").json()["marketing_consent"] is False

    now = datetime.now(UTC)
    withdrawn = [consent(left, "withdrawn", now), consent(back, "withdrawn", now - HOUR)]
    assert client_says(world, "first", *withdrawn) == {"withdrawn": 2}
    given = [consent(left, "given", now - HOUR), consent(back, "given", now)]
    assert client_says(world, "late", *given) == {"none": 1, "given": 1}
    invite(world, session, left, back)
    until(world, "the one invited", lambda: world.letters(back))
    until(world, "the other refused", lambda: opposed(world) == 1)
    assert world.letters(left) == []
    assert words(world, left) + words(world, back) == []


def consent(address: str, state: str, at: datetime) -> str:
    return f"{digest_of(address)},{state},{at.isoformat()}"


def client_says(world: Surfaces, file: str, *rows: str) -> dict[str, int]:
    content = "\n".join(["email_digest,state,at", *rows, ""]).encode()
    receipt = dropped(world, f"consents/{file}.csv", content)
    assert receipt["status"] == "accepted", receipt
    return dict(receipt["effects"])


# --- access and erasure --------------------------------------------------------------------------


def asked(world: Surfaces, address: str, wish: str) -> bytes:
    body = {"campaign": world.campaign, "email": address, "wish": wish, "locale": "fr"}
    answer = world.call("POST", "/privacy/requests", body)
    assert answer.status_code == 202
    return answer.content


def link_to_data(world: Surfaces, address: str, wish: str) -> str:
    """The path of the API behind the link that is mailed."""
    before = len(world.letters(address))
    asked(world, address, wish)
    until(world, f"a link to {wish}", lambda: len(world.letters(address)) > before)
    path = f"/privacy/{world.token_for(address, 'privacy')}"
    shown = world.call("GET", path).json()
    assert (shown["wish"], shown["state"], shown["brand"]["name"]) == (wish, "open", "Maison Demo")
    assert address not in str(shown)
    return path


def test_law_9_who_asks_gets_her_file_and_is_in_no_store_once_she_is_erased(
    stack: Stack, world: Surfaces
) -> None:
    address, name = ASKED
    session = signed_in(world, VIPS[3])
    token = confirmed(world, session, ASKED, news=True)
    exported(world, address)
    acknowledge(world)
    buy(world, address, "RIGHTS-2")
    codes = exported(world, address, 2)
    until(world, "her voucher", lambda: world.codes_for(address))
    stack.run("report")
    assert digest_of(address) in {row["referee_digest"] for row in world.referrals()}

    stranger = address_of("nobody")
    assert asked(world, stranger, "export") == asked(world, f"x{stranger}", "erase")
    path = link_to_data(world, address, "export")
    until(world, "made", lambda: world.call("POST", f"{path}/file").status_code == 200)
    answer = world.call("POST", f"{path}/file")
    file = answer.json()
    assert "attachment" in answer.headers["Content-Disposition"]
    assert file["address"] == address
    [part] = file["campaigns"]
    assert {one["code"] for one in part["vouchers"]} == set(codes)
    assert name in str(part["addresses"])
    assert NAMES[VIPS[3]] not in str(file)
    assert world.call("POST", f"{path}/erasure").status_code == 410  # this one erases nothing

    path = link_to_data(world, address, "erase")
    counts, mails = world.dashboard()["funnel"], len(world.letters())
    assert world.call("POST", f"{path}/erasure").status_code == 202
    until(world, "erased", lambda: world.call("GET", path).status_code == 410)
    assert forgets(stack, address, "--dry-run")["found"] is False
    assert world.call("GET", f"/invitations/{token}").status_code == 410
    assert {key.split("/")[2] for key in traces(stack, address, name)} == {
        "vouchers", "referrals", "consents",
    }  # fmt: skip
    assert words(world, address)[-1][0::2] == ("withdrawn", "erasure")
    assert world.as_client("GET", f"/vouchers/{codes[0]}").json()["acceptable"] is True
    assert world.dashboard()["funnel"] == counts
    assert world.letters(stranger) == world.letters(f"x{stranger}") == []
    assert address.lower() not in mails_after(world, mails).lower()


# --- the command line ----------------------------------------------------------------------------


def person(stack: Stack, command: str, address: str, *words: str) -> tuple[int, str, str]:
    line = ("tandem", "person", command, "--brand", BRAND, *words)
    done = run(stack, *line, typed=f"{address}\n")
    return done.returncode, done.stdout, done.stderr


def forgets(stack: Stack, address: str, *words: str) -> dict[str, Any]:
    """The receipt of an erasure, which names nobody."""
    code, printed, errors = person(stack, "erase", address, *words)
    assert (code, errors) == (0, "")
    assert address not in printed
    return dict(json.loads(printed))


def test_law_9_the_command_line_shows_and_forgets_a_sponsor_and_a_referee(
    stack: Stack, world: Surfaces
) -> None:
    (address, name), waits = SPONSOR, address_of("waits")
    session = signed_in(world, address)
    hers = confirmed(world, session, SPONSORED)
    waiting = invited(world, session, waits)
    buy(world, SPONSORED[0], "RIGHTS-3")
    [code] = exported(world, address)
    exported(world, SPONSORED[0], 2)
    acknowledge(world)
    until(world, "her reward", lambda: world.codes_for(address))
    stack.run("report")
    link = world.call("GET", "/sponsor", bearer=session).json()["link"]["code"]

    _, printed, _ = person(stack, "export", address)
    [part] = json.loads(printed)["campaigns"]
    assert [one["code"] for one in part["vouchers"]] == [code]
    assert [one["first_name"] for one in part["addresses"]] == [name]
    assert [one["link"] for one in part["you_as_a_sponsor"]] == [link]
    assert SPONSORED[0] not in printed

    planned = forgets(stack, address, "--dry-run")
    assert world.call("GET", "/sponsor", bearer=session).status_code == 200
    mails = len(world.letters())
    receipt = forgets(stack, address, "--yes")
    assert (planned["dry_run"], receipt["dry_run"]) == (True, False)
    assert receipt["removed"] == planned["removed"]
    assert receipt["vouchers_that_keep_their_worth"] == 1
    assert traces(stack, address, name) == {one["path"] for one in receipt["files"]}
    assert all(one["last_day"] for one in receipt["files"])
    assert receipt["files_end_on"] == max(one["last_day"] for one in receipt["files"])
    assert world.call("GET", "/sponsor", bearer=session).status_code == 401
    sign_up = f"/campaigns/{CAMPAIGN}/links/{link}/sign-up"
    assert world.call("POST", sign_up, {"email": waits}).status_code == 404
    assert world.call("GET", f"/invitations/{waiting}").status_code == 410
    assert world.call("GET", f"/invitations/{hers}").json()["vouchers"]
    assert forgets(stack, address, "--yes")["found"] is False

    receipt = forgets(stack, SPONSORED[0], "--yes")
    assert traces(stack, *SPONSORED) == {one["path"] for one in receipt["files"]}
    assert world.call("GET", f"/invitations/{hers}").status_code == 410
    assert mails_after(world, mails) == ""


# --- held rewards --------------------------------------------------------------------------------


def test_held_rewards_are_listed_with_their_reasons_released_and_refused(
    stack: Stack, world: Surfaces
) -> None:
    sponsor, buyer = VIPS[4], address_of("buys")
    confirmed(world, signed_in(world, sponsor), buyer)
    exported(world, buyer)
    buy(world, buyer, "RIGHTS-4", "30.00")

    def listed() -> str:
        return run(stack, "tandem", "reward", "list", "--campaign", CAMPAIGN).stdout

    until(world, "held", lambda: "2 held" in listed())
    held = {line.split()[1]: line.split()[0] for line in listed().splitlines()[1:3]}
    assert "minimum_orders: 1, 10" in listed()
    for verb, to in (("release", "sponsor"), ("refuse", "referee")):
        done = run(stack, "tandem", "reward", verb, held[to], "--campaign", CAMPAIGN)
        assert done.returncode == 0, done.stderr
    exported(world, sponsor)
    assert listed() == "none\n"
    again = run(stack, "tandem", "reward", "refuse", held["sponsor"], "--campaign", CAMPAIGN)
    assert again.returncode == 1
    assert "released already" in again.stderr
    assert len(exported(world, buyer)) == 1


# --- what all of it has left ---------------------------------------------------------------------


def test_law_9_the_logs_name_nobody(stack: Stack, world: Surfaces) -> None:
    addresses = {one.to for one in world.letters() if ".rights" in one.to.lower()}
    names = {*NAMES.values(), ASKED[1], SPONSORED[1], SPONSOR[1]}
    secret = lowered(addresses | names | tokens(world))
    assert len(addresses) >= 8
    leaks = {(word, line) for line in log_lines(stack) for word in secret if word in line.lower()}
    assert leaks == set()


def test_law_10_journal_and_counts_agree_after_erasures(
    stack: Stack, worlds: tuple[Surfaces, ...]
) -> None:
    stack.run("seal")
    stack.run("root")
    today = datetime.now(PARIS).date().isoformat()
    for world in worlds:
        verified = run(stack, "tandem", "journal", "verify", "--campaign", world.campaign)
        assert (verified.returncode, verified.stderr.strip()) == (0, "")
        assert f"{world.campaign}: agrees" in verified.stdout
        compared = run(stack, "tandem", "reconcile", world.campaign, "--day", today)
        assert compared.returncode == 0, compared.stdout
