"""One image at a time: determinism, masks, how hard the lines are for a plain baseline."""

import ast
import inspect
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from memseg.data import demo
from memseg.data.demo import DEMO_CATEGORIES, DEMO_OBJECTS, DEMO_TEXTURES, lines
from memseg.data.demo.layout import GOOD_TESTS
from memseg.data.demo.lines import LINES, VISIBLE, defect_mask, render
from memseg.evaluation.baseline import pixel_baseline

ALL_DEFECTS = [(category, defect) for category in LINES for defect in LINES[category].defects]


def test_there_are_two_textures_two_objects_and_three_defects_each():
    assert tuple(LINES) == DEMO_CATEGORIES
    assert len(DEMO_TEXTURES) >= 2
    assert len(DEMO_OBJECTS) >= 2
    assert all(len(line.defects) == 3 for line in LINES.values())


@pytest.mark.parametrize("category", LINES)
def test_an_image_depends_on_its_name_and_the_seed_only(category):
    first = render(category, "train", 3, size=64, seed=5).image
    render(category, "test", 0, size=64, seed=5, defect=next(iter(LINES[category].defects)))
    again = render(category, "train", 3, size=64, seed=5).image
    assert first.dtype == np.uint8
    assert first.shape == (64, 64, 3)
    assert np.array_equal(first, again)
    for other in (
        render(category, "train", 4, size=64, seed=5),
        render(category, "train", 3, size=64, seed=6),
        render(category, "test", 3, size=64, seed=5),
    ):
        assert not np.array_equal(first, other.image)


@pytest.mark.parametrize("category", LINES)
def test_a_normal_image_has_no_defect(category):
    normal = render(category, "test", 0, size=64, seed=0)
    assert not normal.mask.any()
    assert np.array_equal(normal.image, normal.without)


@pytest.mark.parametrize(("category", "defect"), ALL_DEFECTS)
@pytest.mark.parametrize("size", [64, 128])
def test_the_mask_is_where_the_image_differs_from_the_same_part_without_the_defect(
    category, defect, size
):
    for index in range(3):
        drawn = render(category, "test", index, size=size, seed=0, defect=defect)
        change = np.abs(drawn.image.astype(int) - drawn.without).max(axis=2)
        assert change[~drawn.mask].max() <= VISIBLE * 255 + 1  # rounding twice
        assert np.mean(change[drawn.mask] > 0) > 0.8
        assert change[drawn.mask].mean() > 3 * VISIBLE * 255


@settings(max_examples=30, deadline=None)
@given(which=st.sampled_from(ALL_DEFECTS), seed=st.integers(0, 2**40), index=st.integers(0, 50))
def test_every_defect_is_seen_is_small_and_lies_inside_the_picture(which, seed, index):
    category, defect = which
    mask = render(category, "test", index, size=64, seed=seed, defect=defect).mask
    rows, columns = np.nonzero(mask)
    assert 12 <= mask.sum() <= 0.06 * mask.size
    assert max(np.ptp(rows), np.ptp(columns)) <= 26  # of 64
    assert 2 < rows.mean() < 62
    assert 2 < columns.mean() < 62
    assert render(category, "test", index, size=32, seed=seed, defect=defect).mask.any()


def test_a_mask_closes_gaps_of_a_pixel_and_ignores_what_is_not_visible():
    normal = np.full((16, 16, 3), 0.5, np.float32)
    flawed = normal.copy()
    flawed[4:9, 4:9, 1] += 2 * VISIBLE
    flawed[6, 6, 1] = 0.5
    flawed[12, 12] += 0.5 * VISIBLE
    expected = np.zeros((16, 16), bool)
    expected[4:9, 4:9] = True
    assert np.array_equal(defect_mask(flawed, normal), expected)


@pytest.mark.parametrize("category", LINES)
def test_normal_images_vary_as_a_whole_more_than_by_their_grain(category):
    images = np.stack([render(category, "train", k, size=64, seed=0).image for k in range(6)])
    brightness = images.mean(axis=(1, 2, 3))
    assert np.ptp(brightness) > 4
    assert 40 < brightness.mean() < 215
    assert np.mean(images == 255) < 0.02


def test_a_plain_pixel_comparison_does_not_solve_the_demo():
    scores = {category: _baseline_auroc(category) for category in LINES}
    assert sum(score < 0.90 for score in scores.values()) >= 2, scores


def _baseline_auroc(category: str) -> float:
    def drawn(split: str, count: int, defect: str | None = None) -> list[np.ndarray]:
        return [
            render(category, split, k, size=128, seed=0, defect=defect).image.transpose(2, 0, 1)
            for k in range(count)
        ]

    good = drawn("test", GOOD_TESTS)
    bad = [
        image
        for defect, count in LINES[category].defects.items()
        for image in drawn("test", count, defect)
    ]
    scores = pixel_baseline(np.stack(good + bad), np.stack(drawn("train", 8)))
    return float(roc_auc_score([0] * len(good) + [1] * len(bad), scores))


def test_no_defect_knows_the_anomaly_simulation():
    folder = inspect.getsourcefile(demo).removesuffix("__init__.py")
    imported = set()
    for module in ("drawing", "camera", "flaw", "lines", "layout", *LINES):
        with open(f"{folder}{module}.py", encoding="utf-8") as source:
            for node in ast.walk(ast.parse(source.read())):
                if isinstance(node, ast.ImportFrom):
                    imported.add(node.module)
    own = {name for name in imported if name and name.startswith("memseg.")}
    assert all(
        name.startswith("memseg.data.demo") or name in ("memseg.errors", "memseg.storage")
        for name in own
    ), own


def test_naming_the_demo_loads_no_image_library():
    code = (
        "import sys; from memseg.data.demo import DEMO_CATEGORIES, draw_demo; "
        "sys.exit('cv2' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_lines_are_documented_by_their_own_files():
    for category in LINES:
        assert all(d in getattr(lines, category).__doc__ for d in LINES[category].defects)
