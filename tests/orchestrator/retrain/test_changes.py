"""What happened to product lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.planning.inventory import CategoryInventory
from orchestrator.retrain.changes import (
    CHANGED,
    NEW,
    NOT_JUDGED,
    UNCHANGED,
    UNUSABLE,
    VANISHED,
    Trained,
    compare,
    difference,
    waits_for_judgement,
)

FILES = {"train/good/0.png": "a", "train/good/1.png": "b", "test/good/0.png": "c"}


def line(
    name: str = "screw", train: str = "t1", test: str = "e1", **more: object
) -> CategoryInventory:
    return CategoryInventory(
        name, normal=9, train_fingerprint=train, test_fingerprint=test,
        **{"files": FILES, **more},  # type: ignore[arg-type]
    )  # fmt: skip


def version(key: str = "v1", train: str = "t1", test: str = "e1", at: str = "2026-01-01",
            files: dict[str, str] | None = None) -> Trained:  # fmt: skip
    return Trained(key, at, train, test, FILES if files is None else files)


def test_a_line_without_a_model_is_new() -> None:
    (change,) = compare([line()], {"screw": []})
    assert (change.state, change.trains) == (NEW, True)
    assert change.reason == "9 normal images, no model yet"


def test_the_same_images_are_unchanged_whichever_version_has_them() -> None:
    known = [version("v1", "t0", at="2026-03-01"), version("v0", at="2026-01-01")]
    (change,) = compare([line()], {"screw": known})
    assert (change.state, change.trains) == (UNCHANGED, False)
    assert "v0" in change.reason


def test_a_version_that_was_published_and_not_judged_is_not_forgotten() -> None:
    before, waits = version("v0", "t0"), replace(version("v1"), judged=False)
    (change,) = compare([line()], {"screw": [before, waits]})
    assert (change.state, change.trains) == (NOT_JUDGED, True)
    made = "version v1 was made from these images"
    assert change.reason == f"{made}, but not judged beside today's champion"
    assert waits_for_judgement(waits, line())
    assert not waits_for_judgement(waits, line(train="t2"))
    # One of several that was judged is enough.
    (change,) = compare([line()], {"screw": [waits, version("v2")]})
    assert (change.state, change.trains) == (UNCHANGED, False)
    assert "v2" in change.reason


def test_a_change_names_files_against_the_newest_version() -> None:
    older = version("v0", "t0", at="2026-01-01", files={})
    newer = version("v1", "t2", at="2026-02-01", files={**FILES, "train/good/0.png": "x"})
    (change,) = compare([line()], {"screw": [newer, older]})
    assert change.state == CHANGED
    assert change.reason == "1 edited (train/good/0.png) since version v1"


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [("t2", "e1", "training images"), ("t1", "e2", "test images"),
     ("t2", "e2", "training and test images")],
)  # fmt: skip
def test_without_recorded_files_it_says_which_part(train: str, test: str, said: str) -> None:
    known = Trained("v1", "2026", train, test, None)
    (change,) = compare([line()], {"screw": [known]})
    assert change.reason == f"{said} since version v1, whose files were not recorded"


def test_a_line_that_is_gone_and_one_that_cannot_be_used_do_not_train() -> None:
    changes = compare([line("tile", problem="no images")], {"screw": [version()], "grid": []})
    assert [(c.category, c.state, c.trains) for c in changes] == [
        ("screw", VANISHED, False),
        ("tile", UNUSABLE, False),
    ]
    assert changes[1].reason == "no images"


def test_differences_are_by_path_and_content() -> None:
    found = difference({"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d": "1"})
    assert (found.added, found.removed, found.edited) == (("d",), ("a",), ("c",))
    assert str(found) == "1 added (d), 1 removed (a), 1 edited (c)"


def test_many_files_are_counted_and_some_are_named() -> None:
    found = difference({}, dict.fromkeys("abcde", "1"))
    assert str(found) == "5 added (a, b, c, ...)"
