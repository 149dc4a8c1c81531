"""Which file says under which licence images are."""

from __future__ import annotations

from pathlib import Path

import pytest

from memseg.data.layouts import LayoutConfig
from memseg.data.licence import Licence, find_licence
from memseg.data.loading import load_product
from memseg.storage import open_folder


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_txt", ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_product_knows_its_licence(mvtec_root: Path) -> None:
    product = load_product(open_folder(mvtec_root), LayoutConfig(), "no", 16)
    assert product.licence == Licence("no/license.txt", "free")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"other_txt": "x"}, None),
        ({"LICENSE": "\n\n  CC  BY 4.0 \nmore"}, Licence("LICENSE", "CC BY 4.0")),
        ({"readme_txt": "a", "licence_txt": "b"}, Licence("licence.txt", "b")),
        ({"part__README": "a", "LICENSE": "b"}, Licence("part/README", "a")),
        ({"part__license_txt": "a", "LICENSE": "b"}, Licence("part/license.txt", "a")),
        ({"license_txt": ""}, Licence("license.txt", "")),
        ({"license_txt": "\x1b[2J" + "x" * 300}, Licence("license.txt", "[2J" + "x" * 197)),
    ],
)
def test_the_nearest_licence_file_counts(
    tmp_path: Path, files: dict[str, str], expected: Licence | None
) -> None:
    assert find_licence(open_folder(write(tmp_path, **files)), "part") == expected


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "LICENSE.pdf").write_bytes(b"\xff\xfe\x00")
    assert find_licence(open_folder(tmp_path), "part") == Licence("LICENSE.pdf", "")
