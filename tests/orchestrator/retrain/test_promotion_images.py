"""How many normal images unknown to the champion it takes to judge by them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.retrain import promotion
from orchestrator.retrain.judging_images import JudgingImages


@pytest.mark.parametrize(("unknown", "kept"), [(0, 0), (1, 0), (2, 2), (3, 3)])
def test_too_few_unknown_images_judge_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, unknown: int, kept: int
) -> None:
    names = ("a", "b", "c")[:unknown]
    monkeypatch.setattr(promotion, "judging_images", lambda *_: JudgingImages(names, (), True))
    monkeypatch.setattr(promotion, "layout_of", lambda data: SimpleNamespace(train_folder="good"))
    job: Any = SimpleNamespace(
        config=SimpleNamespace(
            retrain=SimpleNamespace(least_images=2), workspace=str(tmp_path), data=None
        )
    )
    winner: Any = SimpleNamespace(
        trial=SimpleNamespace(category="screw"), result={"held_out": ["a", "b", "c"]}
    )
    inventory: Any = SimpleNamespace(files={})
    said: list[str] = []
    found = promotion._images(job, winner, [], inventory, said.append)
    assert len(found.normal) == kept
    assert bool(said) == (kept == 0)
