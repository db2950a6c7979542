from pathlib import Path

import pytest
from disposable_email_domains import blocklist
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.addresses import PLUS_TAG_DOMAINS
from chalicelib.domain.providers import (
    COMMON,
    FAR,
    REAL_NEIGHBOURS,
    TYPOS,
    distance,
    domain_meant,
    is_disposable,
)

REAL = (Path(__file__).parent / "real_providers.txt").read_text().split()


@pytest.mark.slow
def test_a_disposable_domain_means_itself_but_for_slips_squatted_to_catch_mail() -> None:
    corrected = {domain for domain in blocklist if domain_meant(domain)}
    assert corrected == blocklist & TYPOS.keys() == {"gmial.com", "hotmai.com", "hotmial.com"}


def test_every_domain_of_the_list_and_all_below_it_is_disposable() -> None:
    assert len(blocklist) > 10_000
    assert all(is_disposable(domain) and is_disposable(f"eu.{domain}") for domain in blocklist)


def test_no_provider_that_we_know_is_disposable() -> None:
    """An update of the list that takes one for it is not for us."""
    known = {*COMMON, *REAL_NEIGHBOURS, *PLUS_TAG_DOMAINS, *REAL}
    assert [domain for domain in sorted(known) if is_disposable(domain)] == []


def test_a_name_that_starts_with_another_letter_is_another_provider() -> None:
    assert domain_meant("otmail.com") == domain_meant("ohtmail.com") == "hotmail.com"
    assert domain_meant("gotmail.com") is domain_meant("jotmail.com") is None


@given(st.text(alphabet="abcdef", max_size=5), st.text(alphabet="abcdef", max_size=5))
def test_the_distance_is_that_of_a_plain_recursive_definition(a: str, b: str) -> None:
    def plain(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        best = min(
            plain(i - 1, j) + 1,
            plain(i, j - 1) + 1,
            plain(i - 1, j - 1) + (a[i - 1] != b[j - 1]),
        )
        if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
            best = min(best, plain(i - 2, j - 2) + 1)
        return best

    assert distance(a, b) == min(plain(len(a), len(b)), FAR)
