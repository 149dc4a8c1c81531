"""Settings as such: conversion, limits, names, and the way from a tree to a dataclass and back."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.config.settings import (
    Group,
    build,
    convert,
    documentation,
    flatten,
    flatten_config,
    known_names,
    setting,
)
from memseg.errors import SettingError

Mode = Literal["off", "otsu"]
few = settings(max_examples=30, deadline=None)


@dataclass(frozen=True)
class Oven(Group):
    NAME: ClassVar[str] = "oven"
    degrees: float = setting(180.0, "heat", low=30, high=250)
    minutes: int = setting(20, "time", low=1)
    flour: float = setting(0.5, "kilograms", above=0)
    range: tuple[float, float] = setting((0.2, 0.8), "shares", low=0, high=1)
    fan: bool = setting(True, "moves the air")


@dataclass(frozen=True)
class Kitchen(Group):
    name: str = setting("home", "of the house")
    oven: Oven = field(default_factory=Oven)
    tags: tuple[int, ...] = setting((), "numbers", low=0)


# Conversion


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        ("3e-5", float, 3e-5),
        ("-0.25", float, -0.25),
        (2, float, 2.0),
        ("30", int, 30),
        ("3e2", int, 300),
        (30.0, int, 30),
        (True, bool, True),
        (False, bool, False),
        ("true", bool, True),
        ("False", bool, False),
        ("otsu", Mode, "otsu"),
        ("off", Mode, "off"),
        (False, Mode, "off"),
        ([1, "2"], tuple[int, int], (1, 2)),
        ((0.5, "3e-1"), tuple[float, float], (0.5, 0.3)),
        (["1", 2, 3.0], tuple[int, ...], (1, 2, 3)),
        ([], tuple[int, ...], ()),
        (None, str | None, None),
        ("null", str | None, None),
        ("~", int | None, None),
        ("7", int | None, 7),
        ("none of these", str | None, "none of these"),
        (12, str, "12"),
    ],
)
def test_a_value_becomes_its_settings_type(value: Any, hint: Any, expected: Any) -> None:
    found = convert("oven.x", value, hint)
    assert found == expected
    assert type(found) is type(expected)
    if isinstance(expected, tuple):
        assert [type(v) for v in found] == [type(v) for v in expected]


@pytest.mark.parametrize(
    ("value", "hint", "words"),
    [
        ("much", float, "oven.x must be a number, got 'much'"),
        (None, float, "must be a number, got None"),
        (True, float, "must be a number, got True"),
        ([1], float, r"must be a number, got \[1\]"),
        ("nan", float, "must be a finite number"),
        ("1e400", float, "must be a finite number"),
        (float("inf"), float, "must be a finite number"),
        ("2.5", int, "oven.x must be a whole number, got '2.5'"),
        (2.5, int, "must be a whole number, got 2.5"),
        (True, int, "must be a whole number, got True"),
        ("inf", int, "must be a whole number"),
        ("nan", int, "must be a whole number"),
        (None, int, "must be a whole number, got None"),
        ("", int, "must be a whole number, got ''"),
        (1, bool, "oven.x must be true or false, got 1"),
        (0, bool, "must be true or false, got 0"),
        (None, bool, "must be true or false, got None"),
        ("maybe", bool, "must be true or false, got 'maybe'"),
        ("of", Mode, "oven.x must be one of off, otsu, got 'of'"),
        (True, Mode, "must be one of off, otsu, got True"),
        (None, Mode, "must be one of off, otsu, got None"),
        (["off"], Mode, "must be one of off, otsu"),
        (False, Literal["sgd"], "must be one of sgd, got False"),
        ([1], tuple[int, int], r"must be a list of 2 values, got \[1\]"),
        ([1, 2, 3], tuple[int, int], "must be a list of 2 values"),
        ([1, "two"], tuple[int, int], r"oven.x\[1\] must be a whole number, got 'two'"),
        (["1", "b"], tuple[int, ...], r"oven.x\[1\] must be a whole number, got 'b'"),
        (3, tuple[int, int], "must be a list, got 3"),
        ("12", tuple[int, int], "must be a list, got '12'"),
        (None, tuple[int, ...], "must be a list, got None"),
        (None, str, "must be text, got None"),
        (["a"], str, "must be text"),
        ({"a": 1}, str, "must be text"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(value: Any, hint: Any, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        convert("oven.x", value, hint)


def test_a_mapping_is_no_list() -> None:
    """Its keys would pass for values."""
    with pytest.raises(SettingError, match="must be a list"):
        convert("oven.range", {0.1: "a", 0.3: "b"}, tuple[float, float])


@few
@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_keep_every_digit_as_number_and_as_text(number: int) -> None:
    assert convert("oven.x", number, int) == number
    assert convert("oven.x", str(number), int) == number


@few
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_every_bit_as_number_and_as_text(number: float) -> None:
    assert convert("oven.x", number, float) == number
    assert convert("oven.x", repr(number), float) == number


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_values = _scalars | st.lists(_scalars, max_size=3) | st.dictionaries(st.text(), _scalars)


@settings(max_examples=100, deadline=None)
@given(_values, st.sampled_from([int, float, bool, str, Mode, tuple[int, int], float | None]))
def test_any_value_is_converted_once_and_for_all_or_refused(value: Any, hint: Any) -> None:
    try:
        found = convert("oven.x", value, hint)
    except SettingError as error:
        told = str(error)
    else:
        assert convert("oven.x", found, hint) == found
        told = "oven.x"
    assert "oven.x" in told


def test_a_number_too_large_for_a_float_is_refused() -> None:
    with pytest.raises(SettingError, match=r"oven.x must be a finite number"):
        convert("oven.x", 10**400, float)


# Limits


@few
@given(st.floats(-1e6, 1e6, allow_nan=False))
def test_low_and_high_are_inside_and_above_is_not(value: float) -> None:
    for make, fits in (
        (lambda: Oven(degrees=value), 30 <= value <= 250),
        (lambda: Oven(flour=value), value > 0),
        (lambda: Oven(range=(0.5, value)), 0 <= value <= 1),
    ):
        if fits:
            make()
        else:
            with pytest.raises(SettingError, match=r"^oven\.(degrees|flour|range) must be"):
                make()


@pytest.mark.parametrize(
    ("given_value", "words"),
    [
        ({"degrees": 29.9}, "oven.degrees must be at least 30, got 29.9"),
        ({"degrees": 251}, "oven.degrees must be at most 250, got 251"),
        ({"flour": 0}, "oven.flour must be above 0, got 0"),
        ({"range": (0.5, 1.5)}, "oven.range must be at most 1, got 1.5"),
        ({"minutes": 0}, "oven.minutes must be at least 1, got 0"),
    ],
)
def test_the_message_names_setting_limit_and_value(given_value: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        Oven(**given_value)


def test_a_group_converts_what_it_is_made_with_and_stays_as_it_is() -> None:
    oven = Oven(degrees="2e2", range=[0, 1], fan="false")  # type: ignore[arg-type]
    assert (oven.degrees, oven.range, oven.fan) == (200.0, (0.0, 1.0), False)
    with pytest.raises(FrozenInstanceError):
        oven.degrees = 1.0  # type: ignore[misc]


# Names


def test_names_and_documentation_follow_the_fields() -> None:
    names = known_names(Kitchen)
    assert list(names) == [
        "name", "oven.degrees", "oven.minutes", "oven.flour", "oven.range", "oven.fan", "tags",
    ]  # fmt: skip
    assert names["oven.range"] == tuple[float, float]
    assert documentation(Kitchen)["oven.degrees"] == ("heat", 180.0)
    assert list(documentation(Kitchen)) == list(names)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("oven.degree", "unknown setting 'oven.degree'; did you mean 'oven.degrees'"),
        ("Oven.fan", "did you mean 'oven.fan'"),
        ("nmae", "did you mean 'name'"),
        ("oven", "unknown setting 'oven'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        build(Kitchen, {name: 1})


def test_a_name_like_none_gets_no_suggestion() -> None:
    with pytest.raises(SettingError, match=r"^unknown setting 'zzzz'$"):
        build(Kitchen, {"zzzz": 1})


def test_nested_dotted_and_mixed_names_mean_the_same() -> None:
    known = known_names(Kitchen)
    wanted = {"oven.degrees": 200, "oven.fan": False}
    assert flatten({"oven": {"degrees": 200, "fan": False}}, known) == wanted
    assert flatten({"oven.degrees": 200, "oven": {"fan": False}}, known) == wanted
    assert flatten({"oven.degrees": 200, "oven.fan": False}, known) == wanted


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"oven": {"degree": 1}}, "unknown setting 'oven.degree'; did you mean 'oven.degrees'"),
        ({"oven": 3}, "unknown setting 'oven'"),
        ({"grill": {"degrees": 1}}, "unknown setting 'grill'"),
        ({"oven": {"fan": {"degrees": 1}, "x": 1}}, "unknown setting 'oven.x'"),
    ],
)
def test_a_tree_with_an_unknown_name_is_refused(tree: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        flatten(tree, known_names(Kitchen))


# Building


def test_what_is_absent_keeps_its_default() -> None:
    made = build(Kitchen, {"oven.minutes": "5", "tags": [1, "2"]})
    assert made == Kitchen(oven=Oven(minutes=5), tags=(1, 2))
    assert build(Kitchen, {}) == Kitchen()


def test_building_checks_limits_with_the_dotted_name() -> None:
    with pytest.raises(SettingError, match=r"^oven\.minutes must be at least 1, got 0"):
        build(Kitchen, {"oven.minutes": 0})
    with pytest.raises(SettingError, match=r"^tags must be at least 0, got -1"):
        build(Kitchen, {"tags": [3, -1]})


@few
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.text(),
            "oven.degrees": st.floats(30, 250),
            "oven.minutes": st.integers(1, 10**9),
            "oven.range": st.tuples(st.floats(0, 1), st.floats(0, 1)),
            "oven.fan": st.booleans(),
            "tags": st.lists(st.integers(0, 99)).map(tuple),
        },
    )
)
def test_flat_settings_come_back_from_what_was_built(flat: dict[str, Any]) -> None:
    made = build(Kitchen, flat)
    found = flatten_config(made)
    assert list(found) == list(known_names(Kitchen))
    assert {name: found[name] for name in flat} == flat
    assert build(Kitchen, found) == made
