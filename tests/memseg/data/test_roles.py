from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.data.roles import Roles, assign_roles
from memseg.errors import DataError, SettingError


def contents(n: int, first: int = 0) -> list[str]:
    return [hashlib.sha256(str(i).encode()).hexdigest() for i in range(first, first + n)]


def roles(hashes: list[str], **changed: Any) -> Roles:
    values: dict[str, Any] = {
        "seed": 0, "memory_samples": 30, "held_out_share": 0.1, "held_out_least": 6,
        "held_out_most": 32, "least_training": 4, "category": "screw",
    }  # fmt: skip
    return assign_roles(hashes, **{**values, **changed})


@settings(max_examples=30, deadline=None)
@given(n=st.integers(40, 120), seed=st.integers(0, 5), share=st.sampled_from([0.0, 0.1, 0.5]))
def test_each_image_has_one_role(n: int, seed: int, share: float) -> None:
    made = roles(contents(n), seed=seed, memory_samples=10, held_out_share=share, held_out_most=20)
    assert sorted(made.held_out + made.memory + made.training) == list(range(n))
    assert len(made.memory) == 10
    assert len(made.held_out) == 0 if share == 0 else 6 <= len(made.held_out) <= 20


def test_memories_of_different_sizes_are_prefixes_of_one_order() -> None:
    hashes = contents(100)
    small, large = roles(hashes, memory_samples=15), roles(hashes, memory_samples=70)
    assert large.memory[:15] == small.memory
    assert large.held_out == small.held_out


@settings(max_examples=30, deadline=None)
@given(n=st.integers(60, 120), share=st.floats(0.01, 0.99), samples=st.integers(1, 40))
def test_a_memory_takes_at_most_its_share_of_what_is_not_held_out(
    n: int, share: float, samples: int
) -> None:
    hashes, fixed = contents(n), {"memory_samples": samples, "held_out_share": 0.0}
    limited = roles(hashes, **fixed, memory_most_share=share, least_training=0).memory
    assert len(limited) == min(samples, max(1, int(share * n)))
    assert limited == roles(hashes, **fixed).memory[: len(limited)]


def test_a_category_of_few_images_can_be_trained_where_its_memory_has_a_limit() -> None:
    limited = {"memory_samples": 120, "memory_most_share": 0.4}
    made = roles(contents(60), **limited)
    assert len(made.memory) == 20  # two fifths of the 52 that are not held out
    assert len(made.training) == 32
    with pytest.raises(DataError, match="60 normal images, 128 are needed"):
        roles(contents(60), **{**limited, "memory_most_share": 1.0, "least_training": 0})


def test_the_held_out_images_do_not_depend_on_the_memory_and_come_first() -> None:
    hashes = contents(60)
    without = roles(hashes, held_out_share=0.0, memory_samples=30)
    held_out = roles(hashes, memory_samples=30).held_out
    assert set(without.memory) & set(held_out)  # some would have been in the memory


def test_about_the_share_is_held_out() -> None:
    made = roles(contents(2000), held_out_most=4096)
    assert 150 < len(made.held_out) < 250


def test_the_least_and_the_most_are_kept() -> None:
    assert len(roles(contents(40), held_out_share=1e-9, memory_samples=5).held_out) == 6
    assert len(roles(contents(2000)).held_out) == 32


@settings(max_examples=20, deadline=None)
@given(old=st.integers(150, 200), new=st.integers(1, 60))
def test_adding_images_moves_none_between_held_out_and_the_rest(old: int, new: int) -> None:
    hashes, added = contents(old), contents(new, first=10_000)
    free = {"held_out_least": 1, "held_out_most": 4096}
    before = {hashes[i] for i in roles(hashes, **free).held_out}
    together = sorted(hashes + added)
    after = {together[i] for i in roles(together, **free).held_out}
    assert before == after & set(hashes)


def test_the_order_of_files_does_not_matter_but_the_seed_does() -> None:
    hashes = contents(80)
    turned = hashes[::-1]
    first, second = roles(hashes), roles(turned)
    assert [hashes[i] for i in first.memory] == [turned[i] for i in second.memory]
    assert {hashes[i] for i in first.held_out} == {turned[i] for i in second.held_out}
    assert roles(hashes, seed=1).memory != first.memory
    assert roles(hashes, seed=1).held_out != first.held_out


@settings(max_examples=40, deadline=None)
@given(groups=st.lists(st.integers(1, 6), min_size=20, max_size=40), seed=st.integers(0, 20))
def test_copies_of_one_image_are_never_both_held_out_and_trained_on(
    groups: list[int], seed: int
) -> None:
    hashes = [content for content, n in zip(contents(40), groups) for _ in range(n)]
    made = roles(hashes, seed=seed, memory_samples=2, held_out_least=3, held_out_most=5)
    held_out = {hashes[i] for i in made.held_out}
    assert not held_out & {hashes[i] for i in (*made.memory, *made.training)}
    assert 3 <= len(made.held_out) <= 5 + 5


def test_equal_contents_are_told_apart_by_their_place_where_none_is_held_out() -> None:
    made = roles(["0" * 64] * 50, held_out_share=0.0)
    assert made.held_out == ()
    assert made.memory == tuple(range(30))


def test_copies_of_a_single_image_cannot_be_held_out_and_trained_on() -> None:
    with pytest.raises(DataError, match=r"50 held out .*copies of one image stay together"):
        roles(["0" * 64] * 50)


def test_too_few_images_are_refused_with_counts_and_advice() -> None:
    message = (
        r"'screw' has 39 normal images, 40 are needed: 30 for the memory \(memory.samples\), "
        r"6 held out .* at least 4 to train; lower"
    )
    with pytest.raises(DataError, match=message):
        roles(contents(39), held_out_share=1e-9)
    assert len(roles(contents(40), held_out_share=1e-9).training) == 4


def test_a_least_above_the_most_is_refused() -> None:
    with pytest.raises(SettingError, match="held_out_least"):
        roles(contents(80), held_out_least=9, held_out_most=8)


def test_roles_stay_as_they_were_published() -> None:
    # A change here changes every trial's numbers: METHOD_VERSION must rise with it.
    made = roles(contents(20), memory_samples=5, held_out_least=3)
    assert (made.held_out, made.memory) == PUBLISHED


PUBLISHED = ((0, 5, 13, 14), (9, 15, 7, 6, 18))
