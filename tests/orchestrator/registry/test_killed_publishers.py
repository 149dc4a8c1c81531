"""Publishers in processes of their own, killed and in a crowd: a small version of
``python -m tests.registry_kills``."""

from __future__ import annotations

from pathlib import Path

from tests.registry_kills import crowd, kill_publishers


def test_every_version_that_is_listed_after_a_kill_verifies(tmp_path: Path) -> None:
    outcome = kill_publishers(str(tmp_path), kills=3)
    assert outcome.kills == 3
    assert outcome.problems == ()
    assert outcome.listed >= 3


def test_a_crowd_of_publishers_loses_and_mixes_nothing(tmp_path: Path) -> None:
    assert crowd(str(tmp_path)) == []
