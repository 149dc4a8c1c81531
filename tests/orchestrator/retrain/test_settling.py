"""Which folders hold still."""

from __future__ import annotations

from orchestrator.retrain.settling import Seen, Snapshot, look, settled

ONE: Snapshot = (("a.png", 10, 1),)
TWO: Snapshot = (("a.png", 10, 1), ("b.png", 5, 2))


def test_a_folder_is_whole_after_it_held_still() -> None:
    seen = look({}, {"screw": ONE}, 0.0)
    assert settled(seen, 0.0, 10.0) == ()
    seen = look(seen, {"screw": ONE}, 10.0)
    assert settled(seen, 10.0, 10.0) == ("screw",)


def test_a_growing_folder_starts_again() -> None:
    seen = look({"screw": Seen(ONE, 0.0)}, {"screw": TWO}, 9.0)
    assert settled(seen, 15.0, 10.0) == ()
    assert settled(look(seen, {"screw": TWO}, 19.0), 19.0, 10.0) == ("screw",)


def test_a_change_of_size_or_time_counts() -> None:
    for changed in ((("a.png", 11, 1),), (("a.png", 10, 2),)):
        assert look({"screw": Seen(ONE, 0.0)}, {"screw": changed}, 5.0)["screw"].since == 5.0


def test_what_is_gone_is_forgotten() -> None:
    assert look({"screw": Seen(ONE, 0.0)}, {}, 5.0) == {}


def test_without_a_wait_everything_is_whole_at_once() -> None:
    assert settled(look({}, {"b": ONE, "a": TWO}, 3.0), 3.0, 0.0) == ("a", "b")
