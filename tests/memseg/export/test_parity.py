"""When an export is refused, and when another choice of the memory is only counted."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.errors import ExportError
from memseg.export.metadata import Metadata
from memseg.export.onnx_model import Found, OnnxModel
from memseg.export.parity import LIMIT, Parity, check_parity, compared
from memseg.export.to_onnx import to_onnx
from memseg.model.network import MemSegNet

NAMES = ("a.png", "b.png", "c.png")
ONE = np.zeros((3, 4, 4), np.float32)
CHOSEN = np.zeros((3, 3), np.int64)


def margins(value: float = 0.5) -> npt.NDArray[np.float32]:
    return np.full((3, 3), value, np.float32)


def other_choice(of: int, level: int = 1) -> npt.NDArray[np.int64]:
    changed = CHOSEN.copy()
    changed[of, level] = 1
    return changed


def with_pixel(of: int, value: float) -> npt.NDArray[np.float32]:
    changed = ONE.copy()
    changed[of, 2, 3] = value
    return changed


def test_the_largest_difference_of_any_pixel_counts() -> None:
    found = compared(ONE, CHOSEN, with_pixel(1, 0.9 * LIMIT), CHOSEN, margins(), NAMES)
    assert found.largest == pytest.approx(0.9 * LIMIT)
    assert (found.same, found.problem) == (3, "")
    found = compared(ONE, CHOSEN, with_pixel(1, -1.1 * LIMIT), CHOSEN, margins(), NAMES)
    assert "differ from PyTorch's by up to 0.0011 (limit 1e-03)" in found.problem


def test_values_that_are_no_numbers_are_refused() -> None:
    found = compared(ONE, CHOSEN, with_pixel(0, np.nan), CHOSEN, margins(), NAMES)
    assert "nan" in found.problem
    alone = compared(ONE, None, with_pixel(0, np.nan), None, None, NAMES)
    assert "nan" in alone.problem


def test_an_image_with_another_choice_is_counted_with_its_margin_and_not_compared() -> None:
    close = margins()
    close[2] = (0.5, 1e-6, 0.4)
    found = compared(ONE, CHOSEN, with_pixel(2, 0.7), other_choice(2), close, NAMES)
    assert (found.images, found.same, found.largest, found.problem) == (3, 2, 0.0, "")
    (differing,) = found.differing
    assert differing.name == "c.png"
    assert differing.margin == pytest.approx(1e-6)
    said = "2 with the same memory samples, smallest margin 1e-06, 1 with others (margins 1e-06)"
    assert said in str(found)
    assert found.to_json()["other_choice"] == [{"image": "c.png", "margin": differing.margin}]


def test_another_choice_where_the_nearest_is_clear_is_refused() -> None:
    found = compared(ONE, CHOSEN, ONE, other_choice(0), margins(0.2), NAMES)
    assert "1 images where the nearest is clear, for a.png by a margin of 0.2" in found.problem


def test_nothing_compared_is_no_proof() -> None:
    assert "no images" in Parity(0, 0.0, (), None).problem
    everywhere = compared(ONE, CHOSEN, ONE, CHOSEN + 1, margins(0.0), NAMES)
    assert "no map can be compared" in everywhere.problem


def test_a_network_without_memory_has_no_choice() -> None:
    found = compared(ONE, None, ONE, None, None, NAMES)
    assert (found.same, found.least_margin, found.problem) == (3, None, "")
    with pytest.raises(ExportError, match="has none"):
        compared(ONE, None, ONE, CHOSEN, margins(), NAMES)


def test_a_changed_weight_is_refused(
    network: MemSegNet, model: OnnxModel, images: npt.NDArray[np.uint8]
) -> None:
    changed = copy.deepcopy(network)
    with torch.no_grad():
        changed.decoder.head[-1].bias[1] += 0.05
    found = check_parity(changed, model, images, [f"{i}.png" for i in range(8)])
    assert found.same == 8
    assert "anomaly maps differ" in found.problem


def test_another_memory_is_refused(
    network_of: Callable[..., MemSegNet],
    model: OnnxModel,
    memory: npt.NDArray[np.uint8],
    images: npt.NDArray[np.uint8],
) -> None:
    turned = network_of(memory[[1, 2, 0]])
    assert "nearest is clear" in check_parity(turned, model, images, list("abcdefgh")).problem


@pytest.mark.long
def test_two_equal_memory_samples_are_a_tie_and_either_may_be_chosen(
    network_of: Callable[..., MemSegNet],
    metadata_of: Callable[..., Metadata],
    memory: npt.NDArray[np.uint8],
    images: npt.NDArray[np.uint8],
) -> None:
    network = network_of(memory[[0, 0]])
    model = OnnxModel.from_bytes(to_onnx(network, metadata_of()), "twins.onnx", threads=1)
    names = list("abcdefgh")
    found = check_parity(network, model, images, names)
    assert found.problem == ""
    assert found.least_margin == 0.0
    exported = model.run(images)
    assert exported.samples is not None
    # One image as a runtime that takes the last of equals would have it: counted, not refused.
    last = exported.samples.copy()
    last[3] = 1 - last[3]
    again = compared(exported.maps, last, exported.maps, exported.samples, exported.margins, names)
    assert [(d.name, d.margin) for d in again.differing] == [("d", 0.0)]
    assert again.problem == ""


@pytest.mark.parametrize("change", ["train", "double"])
def test_the_network_must_be_as_the_registry_gives_it(
    network: MemSegNet, model: OnnxModel, images: npt.NDArray[np.uint8], change: str
) -> None:
    other: Any = getattr(copy.deepcopy(network), change)()
    with pytest.raises(ExportError, match="fp32, eval mode"):
        check_parity(other, model, images, list("abcdefgh"))


def test_image_scores_that_are_not_those_of_the_maps_are_refused(
    network: MemSegNet, model: OnnxModel, images: npt.NDArray[np.uint8], monkeypatch: Any
) -> None:
    names = list("abcdefgh")
    assert 0 < check_parity(network, model, images, names).largest_score < 1e-5
    real = model.run

    def other_scores(shown: npt.NDArray[np.uint8]) -> Found:
        found = real(shown)
        return dataclasses.replace(found, scores=found.scores + np.float32(2 * LIMIT))

    monkeypatch.setattr(model, "run", other_scores)
    found = check_parity(network, model, images, names)
    assert found.largest < LIMIT
    assert "image scores differ from those of its own anomaly maps by up to 0.002" in found.problem


def test_metadata_hold_the_check(metadata_of: Callable[..., Metadata]) -> None:
    parity = Parity(3, 1e-6, (), 0.25)
    kept = dataclasses.replace(metadata_of(), parity=parity.to_json())
    assert kept.parity is not None
    assert kept.parity["images"] == 3
    assert kept.parity["limit"] == LIMIT
