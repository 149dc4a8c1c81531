"""Planning refuses exactly what giving out roles would refuse, in the same words."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.data.roles import assign_roles, check_roles, count_held_out
from memseg.errors import DataError


@settings(max_examples=150, deadline=None)
@given(
    contents=st.lists(st.integers(0, 25), max_size=60),
    seed=st.integers(0, 3),
    share=st.sampled_from([0.0, 0.1, 0.5]),
    least=st.integers(1, 6),
    memory=st.integers(1, 40),
    most_share=st.sampled_from([1.0, 0.3]),
)
def test_a_check_by_counts_says_what_assigning_says(
    contents: list[int], seed: int, share: float, least: int, memory: int, most_share: float
) -> None:
    hashes = [str(content) for content in contents]
    expected = found = ""
    try:
        roles = assign_roles(hashes, seed, memory, share, least, 12, 4, "screw", most_share)
    except DataError as error:
        expected = str(error)
    else:
        assert count_held_out(hashes, seed, share, least, 12) == len(roles.held_out)
    try:
        held_out = count_held_out(hashes, seed, share, least, 12)
        check_roles(hashes, held_out, memory, 4, "screw", most_share)
    except DataError as error:
        found = str(error)
    assert found == expected
