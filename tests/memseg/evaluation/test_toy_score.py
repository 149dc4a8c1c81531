"""Table 6: a network on the toy dataset."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from memseg.config import MethodConfig, build
from memseg.evaluation import toy as evaluated
from memseg.evaluation.toy import evaluate_toy
from memseg.model.network import MemSegNet
from memseg.simulation.toy import toy_set
from memseg.training.execution import Execution

Images = npt.NDArray[np.uint8]


def test_a_row_has_both_aurocs_and_each_shape(
    network: MemSegNet, images: Images, config: MethodConfig, execution: Execution
) -> None:
    toy = toy_set(images, 0)
    score = evaluate_toy(network, images, toy, config, execution, None)
    assert (score.normal_images, score.toy_images) == (7, 7)
    assert set(score.per_shape) == set(toy.shapes)
    assert sum(shape.images for shape in score.per_shape.values()) == 7
    for value in (score.image_auroc, score.pixel_auroc, score.image_ap, score.pixel_ap):
        assert 0 <= value <= 1
    again = evaluate_toy(network, images, toy, config, execution, None)
    assert again == score


@pytest.mark.parametrize(("found", "auroc"), [(1.0, 1.0), (0.0, 0.5), (-1.0, 0.0)])
def test_what_finds_the_shapes_is_right_and_what_finds_the_rest_is_wrong(
    network: MemSegNet, images: Images, config: MethodConfig, execution: Execution,
    monkeypatch: pytest.MonkeyPatch, found: float, auroc: float,
) -> None:  # fmt: skip
    toy = toy_set(images, 0)

    def maps(_: MemSegNet, shown: Images, __: Execution) -> npt.NDArray[np.float32]:
        marked = toy.masks if shown is toy.images else np.zeros((len(shown), 64, 64))
        return (0.5 + 0.4 * found * marked).astype(np.float32)

    monkeypatch.setattr(evaluated, "anomaly_maps", maps)
    score = evaluate_toy(network, images, toy, config, execution, None)
    assert score.pixel_auroc == pytest.approx(auroc)
    assert all(s.pixel_auroc == pytest.approx(auroc) for s in score.per_shape.values())
    if found >= 0:  # the largest pixels of an image decide its score
        assert score.image_auroc == pytest.approx(auroc)


def test_the_row_says_what_the_shapes_were_used_for(
    network: MemSegNet, images: Images, config: MethodConfig, execution: Execution
) -> None:
    toy = toy_set(images[:2], 0)
    rows = {
        chosen: evaluate_toy(network, images[:2], toy, config, execution, chosen)
        for chosen in ("synthetic", "test", None)
    }
    assert rows["synthetic"].shapes_used_for_selection
    assert "it was selected on them" in rows["synthetic"].note
    for chosen in ("test", None):
        assert not rows[chosen].shapes_used_for_selection
        assert "neither in training nor for selection" in rows[chosen].note
        assert "moved" not in rows[chosen].note
    settings = {"image.size": 64, "simulation.moved_share": 0.5}
    moved = build(MethodConfig, settings)
    row = evaluate_toy(network, images[:2], toy, moved, execution, None)
    assert "moved_share 0.5" in row.note
