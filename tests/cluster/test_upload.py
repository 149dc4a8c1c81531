"""What a job uploads: the packages and job files, never data, runs or environments."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from ray._private.runtime_env.packaging import create_package

REPOSITORY = Path(__file__).parents[2]
PARTS = ("memseg", "orchestrator", "jobs", "tests", "results", "cluster", ".rayignore",
         ".gitignore", "pyproject.toml", "README.md")  # fmt: skip
HEAVY = (
    ".venv/lib/torch.so", "venv311/lib/torch.so", "data/mvtec_ad/screw/train/good/000.png",
    "mvtec_ad/screw/train/good/000.png", "runs/trials/screw/0123/model.safetensors",
    "demo/trials/x/0123/result.json", "weights/resnet18.pth", ".git/objects/pack/x.pack",
    "build/lib/memseg/a.py", "memseg/__pycache__/a.pyc", "products/line-1/scan.tif",
)  # fmt: skip
"""What lies beside the code in a user's checkout."""


@pytest.fixture(scope="module")
def uploaded(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names of the files in the package that Ray would upload, from a copy of the checkout."""
    checkout = tmp_path_factory.mktemp("checkout")
    for part in PARTS:
        source = REPOSITORY / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, checkout / part)
    for name in HEAVY:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_bytes(b"x")
    target = tmp_path_factory.mktemp("package") / "package.zip"
    create_package(str(checkout), target, include_gitignore=True)
    with zipfile.ZipFile(target) as package:
        return [name for name in package.namelist() if not name.endswith("/")]


def test_every_file_of_the_packages_and_every_job_file_is_in_it(uploaded: list[str]) -> None:
    wanted = {
        str(path.relative_to(REPOSITORY))
        for folder in ("memseg", "orchestrator", "jobs")
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in (".py", ".yaml")
    }
    assert len(wanted) > 100
    assert wanted <= set(uploaded)


@pytest.mark.parametrize("name", HEAVY)
def test_what_is_heavy_stays_behind(uploaded: list[str], name: str) -> None:
    assert name not in uploaded


def test_so_do_tests_and_results(uploaded: list[str]) -> None:
    assert not [name for name in uploaded if name.startswith(("tests/", "results/", "cluster/"))]
