from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.config.method import ForegroundConfig
from memseg.errors import DataError
from memseg.simulation.foreground import (
    closed,
    foreground_masks,
    opened,
    otsu_level,
    resolved_foreground,
)

PLAIN = {"opening": 1, "closing": 1}


def disc(inside: int, outside: int, size: int = 64, radius: int = 15) -> np.ndarray:
    """(1, 3, S, S): a disc of one grey level on another."""
    y, x = np.mgrid[:size, :size] - size // 2
    grey = np.where(y**2 + x**2 <= radius**2, inside, outside).astype(np.uint8)
    return np.repeat(grey[None, None], 3, axis=1)


def slow_otsu(grey: np.ndarray) -> int:
    """The first level with the largest variance between the two classes (Otsu 1979)."""
    best, level = -1.0, 0
    for candidate in range(256):
        dark, bright = grey[grey <= candidate], grey[grey > candidate]
        if len(dark) and len(bright):
            spread = len(dark) * len(bright) * (dark.mean() - bright.mean()) ** 2
            if spread > best * (1 + 1e-9):
                best, level = spread, candidate
    return level


def test_off_allows_the_whole_image() -> None:
    masks = foreground_masks(disc(0, 255), ForegroundConfig())
    assert masks.dtype == torch.bool
    assert masks.shape == (1, 64, 64)
    assert masks.all()


@pytest.mark.parametrize(("inside", "outside"), [(200, 40), (40, 200)])
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_otsu_takes_what_the_border_is_not(inside: int, outside: int, kind: str) -> None:
    image = disc(inside, outside)
    given_image = image if kind == "numpy" else torch.from_numpy(image)
    found = foreground_masks(given_image, ForegroundConfig(mode="otsu", **PLAIN))
    np.testing.assert_array_equal(found[0], image[0, 0] == inside)


@pytest.mark.parametrize(("polarity", "inside"), [("bright", True), ("dark", False)])
@pytest.mark.parametrize("mode", ["otsu", "threshold"])
def test_polarity_decides_which_side_is_the_product(mode: str, polarity: str, inside: bool) -> None:
    config = ForegroundConfig(mode=mode, polarity=polarity, **PLAIN)
    found = foreground_masks(disc(200, 40), config)[0]
    assert bool(found[32, 32]) is inside
    assert bool(found[0, 0]) is not inside


def test_the_threshold_itself_is_dark() -> None:
    config = ForegroundConfig(mode="threshold", threshold=100, polarity="bright", **PLAIN)
    found = foreground_masks(disc(101, 100), config)[0]
    np.testing.assert_array_equal(found, disc(1, 0)[0, 0] == 1)


def test_a_product_that_touches_the_border_is_found_too() -> None:
    image = np.full((1, 3, 64, 64), 220, np.uint8)
    image[:, :, 20:40, :50] = 60
    found = foreground_masks(image, ForegroundConfig(mode="otsu", **PLAIN))[0]
    np.testing.assert_array_equal(found, image[0, 0] == 60)


def test_opening_removes_specks_and_closing_fills_holes() -> None:
    image = disc(200, 40)
    clean = foreground_masks(image, ForegroundConfig(mode="otsu"))
    image[:, :, 5, 5] = 200
    image[:, :, 32, 32] = 40
    assert torch.equal(foreground_masks(image, ForegroundConfig(mode="otsu")), clean)


def test_colour_is_weighed_as_the_eye_does() -> None:
    image = np.zeros((1, 3, 64, 64), np.uint8)
    image[0, 0, :32], image[0, 1, 32:] = 255, 255  # red is 76, green is 150
    config = ForegroundConfig(mode="threshold", threshold=100, polarity="bright", **PLAIN)
    found = foreground_masks(image, config)[0]
    assert not found[:32].any()
    assert found[32:].all()


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_otsus_level_parts_pixels_as_the_slow_one_does(seed: int) -> None:
    random = np.random.default_rng(seed)
    low, high = random.normal(70, 20, 300), random.normal(random.integers(90, 220), 15, 200)
    grey = np.clip(np.concatenate([low, high]), 0, 255).astype(np.uint8).reshape(20, 25)
    np.testing.assert_array_equal(grey > otsu_level(grey), grey > slow_otsu(grey))


@given(seed=st.integers(0, 1000), side=st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_opening_never_adds_and_closing_never_takes_a_pixel(seed: int, side: int) -> None:
    mask = (np.random.default_rng(seed).random((24, 24)) > 0.4).astype(np.uint8)
    assert (opened(mask, side) <= mask).all()
    assert (closed(mask, side) >= mask).all()


def test_an_empty_mask_names_its_image_and_says_what_to_do() -> None:
    images = np.concatenate([disc(200, 40), np.full((1, 3, 64, 64), 90, np.uint8)])
    with pytest.raises(DataError, match=r"image 1 .*otsu, polarity auto: set foreground.mode off"):
        foreground_masks(images, ForegroundConfig(mode="otsu"))
    with pytest.raises(DataError, match=r"image 1 \(b\.png\)"):
        foreground_masks(images, ForegroundConfig(mode="otsu"), ["a.png", "b.png"])


def test_an_images_mask_does_not_depend_on_the_others() -> None:
    images = np.concatenate([disc(200, 40), disc(40, 200), disc(120, 80)])
    config = ForegroundConfig(mode="otsu")
    alone = torch.cat([foreground_masks(image[None], config) for image in images])
    assert torch.equal(foreground_masks(images, config), alone)


def frame_touched(share: float) -> np.ndarray:
    """(1, 3, 64, 64): a disc, and a bar so long that it is this share of the frame."""
    image = disc(200, 40)
    frame = 64 * 64 - 60 * 60
    image[:, :, :2, : round(share * frame / 2)] = 200
    return image


def test_auto_is_otsu_where_products_lie_on_a_plain_background() -> None:
    images = np.concatenate([disc(200, 40), disc(40, 200), frame_touched(0.03)])
    auto, otsu = ForegroundConfig(mode="auto", **PLAIN), ForegroundConfig(mode="otsu", **PLAIN)
    assert resolved_foreground(images, auto) == otsu
    assert torch.equal(foreground_masks(images, auto), foreground_masks(images, otsu))


@pytest.mark.parametrize(("touching", "mode"), [(1, "otsu"), (2, "off")])
def test_auto_lets_one_image_in_ten_touch_the_frame(touching: int, mode: str) -> None:
    images = np.concatenate([disc(200, 40)] * (10 - touching) + [frame_touched(0.1)] * touching)
    auto = ForegroundConfig(mode="auto", **PLAIN)
    assert resolved_foreground(images, auto).mode == mode
    assert bool(foreground_masks(images, auto).all()) is (mode == "off")


def test_auto_is_off_for_a_texture_and_for_an_image_without_a_product() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (4, 3, 64, 64)).astype(np.uint8)
    auto = ForegroundConfig(mode="auto")
    assert resolved_foreground(noise, auto).mode == "off"
    blank = np.full((1, 3, 64, 64), 90, np.uint8)
    assert resolved_foreground(np.concatenate([disc(200, 40)] * 20 + [blank]), auto).mode == "off"
    assert foreground_masks(blank, auto).all()


@pytest.mark.parametrize("mode", ["off", "otsu"])
def test_a_mode_that_is_not_auto_is_kept(mode: str) -> None:
    config = ForegroundConfig(mode=mode)
    assert resolved_foreground(disc(200, 40), config) is config


@pytest.mark.real_data
@pytest.mark.parametrize(("category", "mode"), [("screw", "otsu"), ("transistor", "off")])
def test_auto_knows_the_measured_categories(real_data: Path, category: str, mode: str) -> None:
    files = sorted((real_data / "mvtec_ad" / category / "train" / "good").iterdir())[::20]
    pictures = [
        cv2.resize(cv2.imread(str(f)), (256, 256), interpolation=cv2.INTER_AREA) for f in files
    ]
    images = np.stack([p[:, :, ::-1].transpose(2, 0, 1) for p in pictures])
    assert resolved_foreground(images, ForegroundConfig(mode="auto")).mode == mode


@pytest.mark.real_data
def test_otsu_finds_screws(real_data: Path) -> None:
    files = sorted((real_data / "mvtec_ad" / "screw" / "train" / "good").iterdir())[::60]
    pictures = [
        cv2.resize(cv2.imread(str(f)), (128, 128), interpolation=cv2.INTER_AREA) for f in files
    ]
    images = np.stack([p[:, :, ::-1].transpose(2, 0, 1) for p in pictures])
    masks = foreground_masks(images, ForegroundConfig(mode="otsu"))
    shares = masks.float().mean((1, 2))
    assert ((shares > 0.08) & (shares < 0.25)).all()
    assert masks[:, 0].float().mean() < 0.05
