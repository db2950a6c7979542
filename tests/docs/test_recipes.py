"""The recipes of the client guide give the published digests, each where it can be run here."""

from __future__ import annotations

import csv
import io
import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.addresses import (
    PLUS_TAG_DOMAINS,
    Address,
    AddressDigests,
    AddressError,
    DigestKey,
    digest,
)
from cli.hashing.manifest import canary_address

pytestmark = pytest.mark.slow

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "client-guide.md").read_text(encoding="utf-8")
VECTORS: dict[str, Any] = json.loads((DOCS / "vectors/digests.json").read_bytes())
CASES: list[dict[str, str]] = VECTORS["cases"]
KEY = DigestKey("vectors", secret=bytes.fromhex(VECTORS["hmac_key_hex"]))
RECIPES = {file.stem: file.read_text(encoding="utf-8") for file in DOCS.glob("recipes/*.sql")}

# Beyond the published cases: what a table of customers may hold.
HARD = (
    "\u3000Zoé.Dupont@example.fr",
    "\u00a0jeanne@example.fr\r\n",
    "+tag.with.dots@gmail.com",
    "a.b+c.d+e@GoogleMail.com.",
    "a.b+c@hotmail.fr",
    "É.ö+x@gmail.com",
    "a@straße.example",
    "a@ΣΊΣΥΦΟΣ.example",
    "a@sub.bücher.Δοκιμή.example.",
    "a@例え.example",
    "a@ｆｕｌｌ．example",
    "a@𠮷野家.example",
    "a@ﬁn.example",
    "a@\u212angstrom.example",
    "a@他们为什么不说中文.example",
    "a@почемужеонинеговорятпорусски.example",
    "a@xn--bcher-kva.example",
    "a@PROTON.me",
)
NO_ADDRESS = ("", "   ", "jeanne", "@example.fr", "jeanne@", "a@b@c.fr")


def published(case: dict[str, str]) -> list[str]:
    return sorted({case["hmac_sha256"], case["hmac_sha256_canonical"]})


def lines(address: str) -> list[str]:
    """What the command puts in a list for an address under the published key."""
    pair = AddressDigests.of(Address.parse(address), [KEY]).under(KEY.key_id)
    return sorted({pair.exact, pair.canonical})


EXPECTED = {case["address"]: published(case) for case in CASES} | {
    address: lines(address) for address in HARD
}


# --- Python -------------------------------------------------------------------------------------


@cache
def python_block() -> str:
    """The code block of the guide that defines `digests`."""
    blocks: list[str] = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    (block,) = (one for one in blocks if "def digests(" in one)
    return block


def defined_by(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "recipe", "exec"), names)
    return names


@pytest.mark.parametrize("address", EXPECTED, ids=ascii)
def test_the_python_recipe_gives_the_exact_digest_first(address: str) -> None:
    pair = AddressDigests.of(Address.parse(address), [KEY]).under(KEY.key_id)
    digests = defined_by(python_block())["digests"](address, KEY.secret)
    assert digests == list(dict.fromkeys((pair.exact, pair.canonical)))
    assert sorted(digests) == EXPECTED[address]


def test_the_python_recipe_reads_the_letters_of_europe_as_uts_46_does() -> None:
    digests = defined_by(python_block())["digests"]
    otherwise, as_published = set(), 0
    for point in range(0xA1, 0x590):  # Latin, Greek, Cyrillic, Armenian
        address = f"a@ex{chr(point)}ample.fr"
        try:
            expected = lines(address)
        except AddressError:
            continue
        if sorted(digests(address, KEY.secret)) == expected:
            as_published += 1
        else:
            otherwise.add(point)
    # Two that cannot be seen, and the two lunate sigmas, as the guide says.
    assert otherwise == {0x345, 0x34F, 0x3F2, 0x3F9}
    assert as_published > 1000


@pytest.mark.parametrize("text", [one for one in NO_ADDRESS if one.count("@") < 2], ids=repr)
def test_the_python_recipe_gives_no_digest_of_an_invalid_address(text: str) -> None:
    assert defined_by(python_block())["digests"](text, KEY.secret) == []


def test_the_python_recipe_is_ten_lines_and_a_table_and_needs_no_package() -> None:
    table, _, code = python_block().partition("}\n")
    written = code.split("\n")
    assert len([line for line in written if line.strip()]) == 10
    assert re.findall(r"\bimport (.*)", python_block()) == ["hmac, unicodedata"]
    assert set(defined_by(table + "}")["TAG_DOMAINS"]) == PLUS_TAG_DOMAINS


# --- PostgreSQL ---------------------------------------------------------------------------------

Query = Callable[[str, str], list[list[str]]]


@contextmanager
def _cluster(programs: Path) -> Iterator[Path]:
    """The folder of the socket of a server that is there for these tests alone."""
    # Its own folder: another account has to enter it, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    account = None
    if os.getuid() == 0:  # a server refuses to run as root
        account = "postgres" if _is_known("postgres") else "nobody"
        shutil.chown(folder, account)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(
            command, cwd=folder, user=account, check=True, stdout=subprocess.DEVNULL, timeout=120
        )

    try:
        run("initdb", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-U", "test")
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _is_known(account: str) -> bool:
    try:
        pwd.getpwnam(account)
    except KeyError:
        return False
    return True


@pytest.fixture(scope="module")
def query() -> Iterator[Query]:
    """Run SQL, with rows of text for its COPY, in a database where the recipe has been run."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed:
        pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
    with _cluster(installed[-1].parent) as folder:

        def run(sql: str, copied: str = "") -> list[list[str]]:
            done = subprocess.run(
                [installed[-1].parent / "psql", "-h", folder, "-U", "test", "-d", "postgres",
                 "-X", "-q", "--csv", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"],
                input=sql + copied, check=False, capture_output=True, encoding="utf-8", timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            return list(csv.reader(io.StringIO(done.stdout, newline="")))

        assert run(RECIPES["postgresql"], "") == []  # its own check shows nothing
        yield run


def copied(addresses: list[str]) -> str:
    """The rows of a COPY in CSV, and its end."""
    text = io.StringIO(newline="")
    written = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    written.writerows([one] for one in addresses)
    return text.getvalue() + "\\.\n"


def test_postgresql_gives_the_digests(query: Query) -> None:
    addresses = list(EXPECTED)
    query(
        "CREATE TABLE asked (place serial, email text);\n"
        "COPY asked (email) FROM STDIN (FORMAT csv);\n",
        copied(addresses),
    )
    given = query(
        f"SELECT place, unnest(tandem.digests(email, '{KEY.secret.hex()}')) FROM asked;", ""
    )
    made: dict[str, list[str]] = {address: [] for address in addresses}
    for place, one in given:
        made[addresses[int(place) - 1]].append(one)
    assert {address: sorted(digests) for address, digests in made.items()} == EXPECTED
    python = defined_by(python_block())["digests"]
    assert made == {address: python(address, KEY.secret) for address in EXPECTED}


def test_postgresql_gives_no_digest_of_an_invalid_address(query: Query) -> None:
    query(
        "CREATE TABLE strange (email text);\nCOPY strange FROM STDIN (FORMAT csv);\n",
        copied(list(NO_ADDRESS)),
    )
    assert query("SELECT count(*) FROM strange;", "") == [[str(len(NO_ADDRESS))]]
    assert query("SELECT unnest(tandem.digests(email, '00')) FROM strange;", "") == []
    assert query("SELECT unnest(tandem.digests(NULL, '00'));", "") == []


def test_the_check_in_postgresql_shows_what_is_wrong(query: Query) -> None:
    """With a recipe that forgets one step, and inside a transaction that leaves no trace."""
    broken = RECIPES["postgresql"].replace("lower(normalize(btrim(", "(normalize(btrim(")
    shown = {row[0] for row in query(f"BEGIN;\n{broken}\nROLLBACK;", "")}
    assert "x@EXAMPLE.com." in shown
    assert "jeanne.dupont@example.fr" not in shown


def test_the_list_is_extracted_by_the_recipe_with_its_canaries(
    query: Query, tmp_path: Path
) -> None:
    (view,) = re.findall(r"^--   (CREATE VIEW[^;]*;)$", RECIPES["postgresql"], re.MULTILINE)
    (tmp_path / "digest.key").write_text(KEY.secret.hex() + "\n")
    query(
        "CREATE TABLE customers AS SELECT ' Jeanne@Example.FR' AS email;\n"
        f"\\copy tandem.digest_key FROM '{tmp_path / 'digest.key'}'\n"
        f"{view.replace('--', '')}\n"
        f"\\copy (TABLE tandem.full_list) TO '{tmp_path / 'full.csv'}' CSV HEADER\n",
        "",
    )
    header, *digests = (tmp_path / "full.csv").read_text().splitlines()
    assert header == "digest"
    addresses = ["jeanne@example.fr", canary_address(1), canary_address(2)]
    assert sorted(digests) == sorted(
        digest(Address.parse(one).normalised, KEY) for one in addresses
    )


# --- BigQuery, Snowflake, Oracle ----------------------------------------------------------------


def test_snowflake_runs_the_python_of_the_guide() -> None:
    (body,) = re.findall(r"^\$\$\n(.*?)^\$\$;", RECIPES["snowflake"], re.DOTALL | re.MULTILINE)
    assert body.startswith(python_block())
    run = defined_by(body)["lines"]
    assert {one: run(one, KEY.secret.hex()) for one in EXPECTED} == EXPECTED
    assert run(None, KEY.secret.hex()) == []


@pytest.mark.browser
def test_the_javascript_of_bigquery_gives_the_domains_in_ascii() -> None:
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip(f"no browser: {chromium} is not installed (apt-get install chromium)")
    (body,) = re.findall(r'AS r"""\n(.*?)^"""', RECIPES["bigquery"], re.DOTALL | re.MULTILINE)
    typed = [one.strip().lower().partition("@")[2].removesuffix(".") for one in EXPECTED]
    function = f"(asked) => asked.map((typed) => {{{body}}})"
    # In a thread of its own: the tests of the pages may have a browser running in this one.
    with ThreadPoolExecutor(1) as thread:
        made, nothing = thread.submit(evaluated, chromium, function, typed, [None]).result()
    assert nothing == [None]
    expected = [Address.parse(address).domain for address in EXPECTED]
    assert made == expected
    assert sum(one.count("xn--") for one in expected) > 10


def evaluated(chromium: Path, function: str, *asked: object) -> list[object]:
    """What a function of JavaScript answers to each argument."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = browser.new_page()
            return [page.evaluate(function, one) for one in asked]
        finally:
            browser.close()


@pytest.mark.parametrize("database", ["bigquery", "oracle", "postgresql", "snowflake"])
def test_each_recipe_carries_the_published_cases_the_domains_and_the_canaries(
    database: str,
) -> None:
    text = RECIPES[database]
    check = text.partition("-- The check: the published vectors")[2]
    digests = [one for case in CASES for one in published(case)]
    assert re.findall(r"\b[0-9a-f]{64}\b", check) == [*digests, KEY.secret.hex()]
    code = re.sub(r"^--.*$", "", text, flags=re.MULTILINE)
    reported = set(re.findall(r"""['"]([a-z]+\.[a-z]+)['"]""", code))
    assert reported - {"googlemail.com"} == PLUS_TAG_DOMAINS
    assert "googlemail" in code
    assert set(re.findall(r"'([\w-]+@[\w.]+invalid)'", text)) == {
        canary_address(1),
        canary_address(2),
    }
    assert f"(recipes/{database}.sql)" in GUIDE
