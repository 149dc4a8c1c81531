"""The paper's figures 3, 5, 6, 7, 9 and 10, drawn from arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from memseg.config.method import SimulationConfig
from memseg.data.procedural import procedural_textures
from memseg.errors import DivergedError
from memseg.evaluation.attention import AttentionSteps
from memseg.evaluation.feature_space import KINDS, FeatureSpace
from memseg.figures.attention import attention_figure
from memseg.figures.edges import edge_text, edge_width, edges_figure
from memseg.figures.feature_space import MARKS, feature_space_figure
from memseg.figures.heat import coloured
from memseg.figures.localisation import localisation_figure
from memseg.figures.simulation import COLUMNS, simulation_figure
from memseg.figures.toy import toy_figure
from memseg.simulation.examples import simulated_examples
from memseg.simulation.toy import toy_set
from tests.memseg.figures.reading import OUTLINE, count_like, read

SIDE = 64
IMAGES = np.random.default_rng(0).integers(90, 130, (3, 3, SIDE, SIDE)).astype(np.uint8)
MASKS = np.zeros((3, SIDE, SIDE), bool)
MASKS[1:, 16:40, 20:44] = True
MAPS = (0.9 * MASKS).astype(np.float32)
TITLES = ["good 000.png", "bent 001.png", "bent 002.png"]
BRIGHTEST = (252, 255, 164)  # of inferno


def test_figure_5_has_one_scale_from_0_to_1() -> None:
    brighter = MAPS.copy()
    brighter[2] /= 0.9
    sheet = read(localisation_figure(IMAGES, MASKS, brighter, TITLES))
    alone = read(localisation_figure(IMAGES[:2], MASKS[:2], MAPS[:2], TITLES[:2]))
    colour = tuple(coloured(MAPS[1], (0.0, 1.0))[20, 30].tolist())
    assert count_like(sheet, colour) == pytest.approx(count_like(alone, colour), rel=0.05)
    assert count_like(sheet, OUTLINE) > 100
    with pytest.raises(DivergedError, match=r"'bent 001\.png'"):
        localisation_figure(IMAGES, MASKS, np.where(MASKS, np.nan, MAPS), TITLES)
    with pytest.raises(ValueError, match="titles"):
        localisation_figure(IMAGES, MASKS, MAPS, TITLES[:2])


def test_figure_7_says_how_wide_edges_are() -> None:
    soft = MAPS[1].copy()
    soft[40:44, 20:44] = 0.3
    assert edge_text(MAPS[1], MASKS[1], 0.5) == "IoU 1.00, edge 0.0 px"
    # 96 pixels on the way down along an outline of 92.
    assert edge_text(soft, MASKS[1], 0.5) == "IoU 1.00, edge 1.0 px"
    assert edge_text(soft, MASKS[1], 0.25) == "IoU 0.86, edge 1.0 px"
    assert edge_text(MAPS[0], MASKS[0], 0.5) == "nothing marked"
    assert edge_text(MAPS[0], MASKS[1], 0.5) == "IoU 0.00, no edge there"


def test_an_edges_width_is_none_of_calibration() -> None:
    ramp = np.clip((np.arange(64) - 23.5) / 10, 0, 1)[None].repeat(64, 0)
    mask = np.arange(64)[None].repeat(64, 0) >= 29
    assert edge_width(ramp, mask) == pytest.approx(8.0)  # 0.15 to 0.85
    for level, rise in ((0.15, 0.8), (0.4, 0.2), (0.0, 0.45)):
        assert edge_width(level + rise * ramp, mask) == pytest.approx(8.0)
    far = ramp.copy()
    far[:, :8] = 0.5  # something else, far from the outline
    assert edge_width(far, mask) == pytest.approx(8.0)
    assert edge_width(1 - ramp, mask) is None


def test_figure_7_has_a_column_for_each_network() -> None:
    shown, titles = (IMAGES[1:2], MASKS[1:2]), TITLES[1:2]
    two = read(edges_figure(*shown, {"both": MAPS[1:2], "focal": MAPS[1:2] * 0.3}, titles))
    one = read(edges_figure(*shown, {"both": MAPS[1:2]}, titles))
    assert two.shape[1] - one.shape[1] == 208


def steps(levels: tuple[npt.NDArray[np.float32], ...]) -> AttentionSteps:
    return AttentionSteps(levels, levels, MAPS[1:], True, "absolute, times 100", "eq. 5 to 7")


def test_a_colour_means_the_same_in_each_column_of_figure_9() -> None:
    shown = IMAGES[1:], MASKS[1:]
    levels = tuple(np.ones((2, s, s), np.float32) * [[[1.0]], [[0.1]]] for s in (16, 8, 4))
    uneven = steps(tuple(level.astype(np.float32) for level in levels))
    column = read(attention_figure(*shown, uneven, TITLES[1:]))
    assert column.shape[1] > 9 * 150
    # Six panels of each of two rows; in a column the second row is a tenth of the first.
    assert count_like(column, BRIGHTEST) == pytest.approx(6 * 150**2, rel=0.05)


def test_figure_9_of_no_difference_says_whether_attention_is_used() -> None:
    shown = IMAGES[1:2], MASKS[1:2]
    nothing = steps(tuple(np.zeros((1, s, s), np.float32) for s in (16, 8, 4)))
    nothing = replace(nothing, maps=MAPS[1:2])
    used, unused = (
        attention_figure(*shown, replace(nothing, used=used), TITLES[:1]) for used in (True, False)
    )
    assert used != unused


def test_figure_3_has_a_row_for_each_kind_and_says_where_noise_is_not_used() -> None:
    config = SimulationConfig(moved_share=1.0)
    everywhere = np.ones((3, SIDE, SIDE), bool)
    striped = IMAGES.copy()
    striped[..., ::16, :] = 255
    striped[..., :24] = 10
    examples = simulated_examples(striped, everywhere, procedural_textures(SIDE), config, 0)
    assert [e.kind for e in examples] == ["textural", "moved part", "textural"]
    sheet = read(simulation_figure(examples, ["a", "b", "c"], ("a note",)))
    assert sheet.shape[1] > len(COLUMNS) * 168
    assert count_like(sheet, (0xF0, 0xF0, 0xF3)) > 1.5 * 168 * 168  # two empty panels, with text
    with pytest.raises(ValueError, match="as many titles"):
        simulation_figure(examples, ["a"])


def test_figure_10_has_a_column_for_each_shape() -> None:
    toy = toy_set(np.repeat(IMAGES, 4, 0), 0)
    pairs = read(toy_figure(toy))
    found = read(toy_figure(toy, toy.masks.astype(np.float32)))
    assert pairs.shape[1] == found.shape[1] > 6 * 150
    assert found.shape[0] > 1.4 * pairs.shape[0]
    few = read(toy_figure(toy_set(IMAGES, 0)))  # three shapes, one of each
    assert few.shape[1] < pairs.shape[1]
    with pytest.raises(ValueError, match="maps must be"):
        toy_figure(toy, np.zeros((1, SIDE, SIDE)))


def space(kinds: list[str]) -> FeatureSpace:
    points = np.random.default_rng(2).normal(size=(len(kinds), 2))
    nearest = {kind: {"normal": 1.0} for kind in kinds}
    return FeatureSpace("screw", points, np.array(kinds), nearest, 2.0, 0)


def test_figure_6_has_a_mark_for_each_kind() -> None:
    assert list(MARKS) == list(KINDS)
    assert len({mark["marker"] for mark in MARKS.values()}) == len(KINDS)
    simulated = (234, 173, 38)  # a little transparent
    all_kinds = read(feature_space_figure([space([*KINDS] * 10)]))
    without = read(feature_space_figure([space(["normal", "real anomaly"] * 10)]))
    assert count_like(all_kinds, simulated) > count_like(without, simulated)
    assert read(feature_space_figure([space([*KINDS])] * 4)).shape[0] > all_kinds.shape[0]
    with pytest.raises(ValueError, match="got 0"):
        feature_space_figure([])
