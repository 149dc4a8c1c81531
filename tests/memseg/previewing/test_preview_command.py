"""``python -m memseg.preview``: the picture, what is said, exit codes and messages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from memseg.errors import SettingError
from memseg.preview import main, read_settings
from memseg.previewing import images as reading
from memseg.previewing.images import category_of, normal_images
from memseg.previewing.preview import shown

SMALL = ["--image.size", "64"]


def draw(folder: Path, count: int, radius: int = 14) -> None:
    """Bright discs on a dark ground, the last of them larger."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        image = np.full((80, 80, 3), 30, np.uint8)
        cv2.circle(image, (40, 40), radius + 10 * (i == count - 1), (200, 180, 160), -1)
        cv2.imwrite(str(folder / f"{i:03}.png"), image)


@pytest.fixture
def category(tmp_path: Path) -> Path:
    """A category's folder with a defect that must not be shown."""
    draw(tmp_path / "disc" / "train" / "good", 5)
    draw(tmp_path / "disc" / "test" / "bent", 2, radius=3)
    return tmp_path / "disc"


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return " ".join(out.split()), " ".join(err.split())


def test_a_category_is_read_from_its_normal_images(
    category: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "preview.png"
    command = ["--foreground.mode", "otsu", str(category), "--out", str(out), "--rows", "2"]
    assert main([*command, *SMALL]) == 0
    told = said(capsys)[0]
    assert f"5 of 5 images in {category}/train/good; foreground.mode otsu" in told
    assert "(000.png) to" in told
    assert "(004.png)" in told
    assert "settings: preset default for disc, foreground.mode otsu, image.size 64" in told
    assert "textures: drawn by the program; seed 0" in told
    picture = cv2.imread(str(out))
    assert picture is not None
    assert picture.shape[1] > 8 * 168
    first = out.read_bytes()
    assert main([*command, *SMALL]) == 0
    assert out.read_bytes() == first
    assert main([*command, *SMALL, "--seed", "1"]) == 0
    assert out.read_bytes() != first


def test_the_smallest_and_the_largest_foreground_come_first() -> None:
    shares = np.array([0.3, 0.1, 0.4, 0.9, 0.2])
    assert shown(shares, True, 2, 0) == [1, 3]
    assert sorted(shown(shares, True, 99, 0)) == [0, 1, 2, 3, 4]
    assert len({tuple(shown(shares, False, 3, seed)) for seed in range(9)}) > 1


def test_the_categorys_own_settings_are_those_of_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path / "screw" / "train" / "ok", 3)
    out = str(tmp_path / "a.png")
    assert category_of(f"{tmp_path}/screw/") == "screw"
    monkeypatch.chdir(tmp_path / "screw")
    assert category_of(".") == "screw"
    assert main([str(tmp_path / "screw"), "--out", out, "--rows", "1", *SMALL]) == 0
    assert "foreground.mode otsu" in said(capsys)[0]
    assert category_of(f"{tmp_path}/screw/train/ok") == ""
    assert main([str(tmp_path / "screw/train/ok"), "--out", out, "--rows", "1", *SMALL]) == 0
    assert "foreground: the whole image" in said(capsys)[0]


def test_auto_says_what_it_decided(
    category: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [str(category), "--out", str(tmp_path / "a.png"), "--rows", "1", *SMALL]
    assert main([*command, "--preset", "best"]) == 0
    assert "(foreground.mode auto decided otsu on these images; training" in said(capsys)[0]


def test_a_file_that_is_no_image_is_said_and_the_others_are_shown(
    category: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (category / "train" / "good" / "002.png").write_bytes(b"\x89PNG nothing")
    assert main([str(category), "--out", str(tmp_path / "a.png"), "--rows", "1", *SMALL]) == 0
    told = said(capsys)[0]
    assert "4 of 5 images" in told
    assert "unreadable: 002.png" in told
    for path in (category / "train" / "good").iterdir():
        path.write_bytes(b"")
    assert main([str(category), "--out", str(tmp_path / "b.png"), *SMALL]) == 2
    assert "none of the 5 images" in said(capsys)[1]
    assert not (tmp_path / "b.png").exists()


def test_of_very_many_images_some_are_read(category: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_IMAGES", 3)
    found = normal_images(str(category), 64)
    assert found.names == ("000.png", "002.png", "004.png")
    assert found.found == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--foregroud.mode", "otsu"], "'foregroud.mode'; did you mean 'foreground.mode'?"),
        (["--foreground.mode", "otso"], "must be one of off, threshold, otsu, auto, got 'otso'"),
        (["--foreground.mode", "threshold"], "foreground.polarity must be bright or dark"),
        (["--foreground.mode"], "--foreground.mode needs a value"),
        (["--image.size", "65"], "multiple of 32"),
        (["--loss.focal_gamma", "3"], "loss.focal_gamma changes nothing in a preview"),
        (["--simulation.perlin_exponents", "[0, 5"], "is not a list like [1, 2]"),
        (["--simulation.perlin_exponents", "[5, 0]"], "from small to large"),
        (["--rows", "0"], "must be from 1 to 40"),
        (["--row", "2"], "unrecognized arguments"),
        (["--seed", "many"], "--seed"),
        (["--preset", "worst"], "--preset"),
        (["--textures", "/nowhere/at/all"], "/nowhere/at/all"),
        (["--out", "picture.jpg"], "must be a file that ends in .png"),
    ],
)
def test_a_wrong_command_is_one_message(
    category: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str],
    words: str,
) -> None:  # fmt: skip
    out = tmp_path / "a.png"
    assert main([str(category), "--out", str(out), *options]) == 2
    assert words in said(capsys)[1]
    assert not out.exists()


@pytest.mark.parametrize("place", ["a.png", "train/good/a.png", "new/a.png"])
def test_a_picture_among_the_images_is_refused(
    category: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    assert main([str(category), "--out", str(category / place), *SMALL]) == 2
    assert "lies in the folder of images" in said(capsys)[1]
    assert not (category / place).exists()


def test_a_picture_in_the_place_of_the_one_image_is_refused(
    category: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = category / "train" / "good" / "000.png"
    before = image.read_bytes()
    for out in (image, image.with_name("new.png")):
        assert main([str(image), "--out", str(out), *SMALL]) == 2
        assert "lies in the folder of images" in said(capsys)[1]
    assert image.read_bytes() == before
    assert len(list(image.parent.iterdir())) == 5


def test_a_link_to_a_category_is_called_as_it_is_called_in_the_data_root(
    category: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "screw").symlink_to(category)
    assert category_of(str(tmp_path / "screw")) == "screw"
    assert category_of(f"{category}/train/..") == "disc"
    monkeypatch.chdir(category)
    assert category_of(".") == "disc"


def test_images_that_are_not_there_are_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in ("/nowhere/at/all", str(tmp_path)):
        assert main([wrong, "--out", str(tmp_path / "a.png")]) == 2
        assert wrong in said(capsys)[1]


def test_settings_are_text_or_lists_and_the_rest_is_left() -> None:
    tokens = ["in", "--simulation.transparency=[0.2, 0.4]", "--out", "a.png", "--foreground.mode",
              "off"]  # fmt: skip
    assert read_settings(tokens) == (
        {"simulation.transparency": [0.2, 0.4], "foreground.mode": "off"},
        ["in", "--out", "a.png"],
    )
    with pytest.raises(SettingError, match="needs a value"):
        read_settings(["--foreground.mode", "--rows", "2"])


def test_help_needs_no_torch_and_has_each_setting() -> None:
    code = (
        "import sys; from memseg.preview import main; assert main(['--help']) == 0; "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "COLUMNS": "100"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "--foreground.polarity" in done.stdout
    assert "--simulation.moved_share" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
