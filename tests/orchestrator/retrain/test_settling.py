"""Which folders hold still."""

from __future__ import annotations

from orchestrator.retrain.settling import (
    Seen,
    Snapshot,
    Tried,
    after_a_loss,
    due,
    look,
    settled,
)

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


def test_what_was_trained_waits_for_a_change() -> None:
    assert due(None, ONE, 0.0)
    assert not due(Tried(ONE), ONE, 1e12)
    assert due(Tried(ONE), TWO, 0.0)


def test_what_was_lost_is_tried_after_pauses_that_grow_up_to_an_hour() -> None:
    tried, clock, pauses = None, 100.0, []
    for _ in range(8):
        tried = after_a_loss(tried, ONE, clock, 60.0)
        assert not due(tried, ONE, tried.again_at - 1)
        assert due(tried, ONE, tried.again_at)
        pauses.append(tried.again_at - clock)
        clock = tried.again_at
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_watch_that_looks_less_often_than_every_hour_waits_no_shorter() -> None:
    once = after_a_loss(None, ONE, 0.0, 7200.0)
    assert after_a_loss(once, ONE, 0.0, 7200.0).pause == 7200


def test_what_changed_or_was_trained_in_between_begins_with_a_short_pause() -> None:
    often = Tried(ONE, 5000.0, 1920.0)
    assert after_a_loss(often, TWO, 0.0, 60.0) == Tried(TWO, 60.0, 60.0)
    assert after_a_loss(Tried(ONE), ONE, 0.0, 60.0) == Tried(ONE, 60.0, 60.0)
