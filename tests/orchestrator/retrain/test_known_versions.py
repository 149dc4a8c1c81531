"""What the registry's versions tell a retraining."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from memseg.storage import Folder
from orchestrator.registry.registry import Registry
from orchestrator.retrain.known import Known, known_versions

Files = Callable[..., dict[str, bytes]]
A, B, C = "aaaa0001", "bbbb0002", "cccc0003"


@pytest.fixture
def registry(quick_workspace: Folder, files_of: Files) -> Registry:
    found = Registry(quick_workspace.sub("registry"))
    for key in (A, B, C):
        found.publish("screw", key, files_of(key))
    return found


def known(registry: Registry, workspace: Folder) -> tuple[dict[str, Known], list[str]]:
    said: list[str] = []
    found = known_versions(registry, workspace, said.append)
    return {k.trained.version: k for k in found.get("screw", [])}, said


def judged(registry: Registry, workspace: Folder) -> set[str]:
    return {i for i, k in known(registry, workspace)[0].items() if k.trained.judged}


def test_judged_is_who_has_an_alias_and_whom_a_person_gave_or_took_one(
    registry: Registry, quick_workspace: Folder
) -> None:
    assert judged(registry, quick_workspace) == {A}
    registry.challenge("screw", B, "worse")
    assert judged(registry, quick_workspace) == {A, B}
    registry.dismiss("screw", "")
    assert judged(registry, quick_workspace) == {A, B}
    registry.promote("screw", C, "better")
    registry.rollback("screw", "")
    assert judged(registry, quick_workspace) == {A, B, C}


def test_what_was_judged_before_the_last_judgement_is_judged_again_unless_it_has_an_alias(
    registry: Registry, quick_workspace: Folder
) -> None:
    registry.promote("screw", B, "better", {"figures": {}})
    assert judged(registry, quick_workspace) == {B}  # A's images may come back
    registry.challenge("screw", C, "worse", {"figures": {}})
    assert judged(registry, quick_workspace) == {B, C}
    registry.dismiss("screw", "a person does not want it")
    assert judged(registry, quick_workspace) == {B, C}
    registry.rollback("screw", "a person wants it back")
    assert judged(registry, quick_workspace) == {A, B, C}


def test_a_change_that_was_never_put_in_force_judges_nothing(
    registry: Registry, quick_workspace: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Folder.write

    def killed(self: Folder, relative: str, data: bytes) -> None:
        if relative == "aliases.json":
            raise KeyboardInterrupt
        real(self, relative, data)

    monkeypatch.setattr(Folder, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        registry.promote("screw", B, "better")
    assert judged(registry, quick_workspace) == {A}


def test_with_a_damaged_history_nothing_is_trained_for_it_and_it_is_said(
    registry: Registry, quick_workspace: Folder
) -> None:
    registry.folder.write("screw/aliases.json", b"{")
    found, said = known(registry, quick_workspace)
    assert all(k.trained.judged for k in found.values())
    assert "which of its models were judged is not known" in said[0]


@pytest.mark.parametrize(("seen", "score"), [(0, 0.66), (1, None), (None, None)])
def test_a_score_on_images_that_a_warm_start_knew_counts_for_no_settings(
    registry: Registry, quick_workspace: Folder, files_of: Files, seen: int | None,
    score: float | None,
) -> None:  # fmt: skip
    start = {"version": A, "held_out_seen": seen, "seen": []}
    registry.publish("screw", "dddd0004", files_of("dddd0004", warm_start=start))
    found, _ = known(registry, quick_workspace)
    assert found["dddd0004"].synthetic_score == score


@pytest.mark.parametrize("settings", [
    {"memory.selection": "by hand"}, {"optimizer.lr": "much"}, {"optimizer.lr": -1},
], ids=str)  # fmt: skip
def test_settings_of_another_program_are_left_out_and_its_images_are_known(
    registry: Registry, quick_workspace: Folder, files_of: Files, result_of: Any,
    settings: dict[str, Any],
) -> None:  # fmt: skip
    files = files_of("dddd0004")
    config = json.loads(files["config.json"])
    config["settings"] |= {**settings, "not.known": 1}
    registry.publish("screw", "dddd0004", {**files, "config.json": json.dumps(config).encode()})
    found, said = known(registry, quick_workspace)
    assert found["dddd0004"].trained.train_fingerprint == "f1"
    assert found["dddd0004"].synthetic_score is None
    assert found[A].synthetic_score == 0.66
    assert len(said) == 1
    assert "settings of version dddd0004 are left out" in said[0]


@pytest.mark.parametrize("name", ["provenance.json", "metrics.json", "config.json"])
@pytest.mark.parametrize("value", [b"[]", b"3", b'{"settings": 1, "synthetic": {"score": "x"}}'])
def test_a_version_that_this_program_did_not_write_is_left_out(
    registry: Registry, quick_workspace: Folder, files_of: Files, name: str, value: bytes
) -> None:
    registry.publish("screw", "dddd0004", {**files_of("dddd0004"), name: value})
    found, said = known(registry, quick_workspace)
    assert set(found) == {A, B, C}
    assert "version dddd0004 is left out" in said[0]
