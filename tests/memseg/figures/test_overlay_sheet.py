"""Contact sheets: what is on them, read back from the PNG."""

import numpy as np
import numpy.typing as npt
import pytest

from memseg.errors import DivergedError
from memseg.figures.canvas import fitting
from memseg.figures.heat import heat_overlay, shared_scale
from memseg.figures.overlay import MOST_IMAGES, overlay_sheet
from tests.memseg.figures.reading import OUTLINE, count_like, read

Case = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.bool_]]


def draw(count: int) -> Case:
    """Grey images with a square that the map finds, and an empty mask for the first one."""
    images = np.full((count, 3, 64, 64), 120, np.uint8)
    masks = np.zeros((count, 64, 64), bool)
    masks[1:, 16:40, 20:44] = True
    return images, masks.astype(np.float32) * 0.9, masks


def test_a_sheet_is_a_png_and_equal_input_gives_equal_bytes() -> None:
    images, maps, masks = draw(2)
    first = overlay_sheet(images, maps, masks, ["a", "b"])
    assert first.startswith(b"\x89PNG\r\n\x1a\n")
    assert first == overlay_sheet(images, maps, masks, ["a", "b"])


def test_the_outline_is_drawn_where_a_mask_is_and_only_there() -> None:
    images, maps, masks = draw(2)
    assert count_like(read(overlay_sheet(images, maps, masks, ["a", "b"])), OUTLINE) > 100
    assert count_like(read(overlay_sheet(images, maps, masks * False, ["a", "b"])), OUTLINE) == 0
    assert count_like(read(overlay_sheet(images, maps, None, ["a", "b"])), OUTLINE) == 0


def test_an_outline_along_the_edge_is_closed() -> None:
    images, maps, masks = draw(2)
    masks[1] = True
    assert count_like(read(overlay_sheet(images, maps, masks, ["a", "b"])), OUTLINE) > 100


def test_without_masks_the_sheet_is_a_panel_narrower() -> None:
    images, maps, masks = draw(2)
    with_masks = read(overlay_sheet(images, maps, masks, ["a", "b"]))
    without = read(overlay_sheet(images, maps, None, ["a", "b"]))
    assert without.shape[0] == with_masks.shape[0]
    assert 200 <= with_masks.shape[1] - without.shape[1] <= 220


def test_more_than_three_images_stand_in_two_columns() -> None:
    heights = []
    for count in (3, 6):
        images, maps, masks = draw(count)
        heights.append(read(overlay_sheet(images, maps, masks, ["x"] * count)).shape[0])
    assert heights[0] == heights[1]


def test_titles_change_the_sheet_and_odd_ones_are_drawn() -> None:
    images, maps, masks = draw(2)
    plain = overlay_sheet(images, maps, masks, ["a", "b"])
    odd = overlay_sheet(images, maps, masks, ["$x_1^$ \n\x00 产品", "long/" * 100])
    assert odd != plain


def test_the_scale_is_shared() -> None:
    images, maps, _ = draw(2)
    maps[0] = 0.45
    assert shared_scale(maps) == (0.0, pytest.approx(0.9))
    brighter = maps.copy()
    brighter[1] *= 2  # the first image's colours are others then
    sheets = [read(overlay_sheet(images, one, None, ["a", "b"])) for one in (maps, brighter)]
    first = [sheet[: sheet.shape[0] // 3] for sheet in sheets]
    assert not np.array_equal(*first)


def test_maps_of_one_value_have_a_scale() -> None:
    images, maps, _ = draw(2)
    assert shared_scale(maps * 0) == (0.0, 1.0)
    assert overlay_sheet(images, maps * 0, None, ["a", "b"])


def test_heat_grows_brighter_with_the_score_on_the_same_grey() -> None:
    image = np.full((3, 1, 64), 100, np.uint8)
    scores = np.linspace(0, 1, 64)[None]
    heat = heat_overlay(image, scores, (0.0, 1.0)).astype(np.float64)
    luma = heat[0] @ [0.299, 0.587, 0.114]
    assert (np.diff(luma[16:]) >= -1).all()  # faint heat first darkens the image a little
    assert luma[-1] > luma[0] + 100
    assert heat[0, 0] == pytest.approx([70, 70, 71], abs=2)  # 70 % of the image


def test_scores_outside_of_the_scale_take_the_colour_of_its_end() -> None:
    image = np.full((3, 1, 4), 100, np.uint8)
    heat = heat_overlay(image, np.array([[-5.0, 0.0, 1.0, 5.0]]), (0.0, 1.0))
    assert (heat[0, 0] == heat[0, 1]).all()
    assert (heat[0, 2] == heat[0, 3]).all()


def test_long_titles_leave_their_middle_out() -> None:
    assert fitting("screw 0.93", 400, 9.5) == "screw 0.93"
    shown = fitting("a_very_long_defect_type/" * 10 + "007.png 0.93", 400, 9.5)
    assert shown.startswith("a_very")
    assert shown.endswith("007.png 0.93")
    assert "…" in shown
    assert len(fitting("W" * 100, 400, 9.5)) < len(fitting("i" * 100, 400, 9.5))


def test_characters_without_a_glyph_become_question_marks() -> None:
    assert fitting("a\n产b", 400, 9.5) == "a??b"


def test_arrays_that_do_not_fit_are_refused() -> None:
    images, maps, masks = draw(2)
    for wrong in (
        (images.astype(np.float32), maps, masks, ["a", "b"]),
        (images[:, :1], maps, masks, ["a", "b"]),
        (images, maps[:1], masks, ["a", "b"]),
        (images, maps, masks[:, :8], ["a", "b"]),
        (images, maps, masks, ["a"]),
        (images[:0], maps[:0], masks[:0], []),
    ):
        with pytest.raises(ValueError, match="got"):
            overlay_sheet(*wrong)  # type: ignore[arg-type]


def test_too_many_images_are_refused_with_the_limit() -> None:
    images, maps, masks = draw(MOST_IMAGES + 1)
    with pytest.raises(ValueError, match=f"to {MOST_IMAGES} images"):
        overlay_sheet(images, maps, masks, ["x"] * len(images))


def test_maps_that_are_not_finite_are_refused_by_title() -> None:
    images, maps, masks = draw(2)
    maps[1, 2, 3] = np.nan
    with pytest.raises(DivergedError, match="'second' has values that are not finite"):
        overlay_sheet(images, maps, masks, ["first", "second"])
