from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.providers import FAR, distance


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
