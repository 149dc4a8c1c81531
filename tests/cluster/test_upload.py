"""What `ray job submit --working-dir .` takes along, by Ray's own packaging."""

from __future__ import annotations

import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest
from ray._private.ray_constants import get_runtime_env_default_excludes
from ray._private.runtime_env.packaging import create_package

TOP = Path(__file__).parents[2]
CODE = ("memseg", "orchestrator", "jobs", "tests", "cluster", "results")
FILES = (".gitignore", ".rayignore", "pyproject.toml", "README.md", "LICENSE")
LEFT = (
    "data/screw/train/good/000.png",
    "pictures/screw/test/crack/000.png",
    "pictures/dtd/banded/banded_0002.jpg",
    "demo/trials/screw/1a/result.json",
    "runs/registry/screw/versions/1/manifest.json",
    "memseg-runs/sweeps/paper/plan.json",
    "elsewhere/trials/screw/1a/weights.safetensors",
    "elsewhere/sweeps/paper/trials.parquet",
    "resnet18-f37072fd.pth",
    ".venv/lib/python3.11/site-packages/torch/big.py",
    ".venv-gpu/pyvenv.cfg",
    "venv/pyvenv.cfg",
    ".git/objects/aa/bb",
    ".mypy_cache/3.11/memseg.json",
    ".pytest_cache/CACHEDIR.TAG",
    ".hypothesis/unicode_data/codec.json.gz",
    "memseg/__pycache__/errors.cpython-311.pyc",
    "memseg_orchestrator.egg-info/PKG-INFO",
    "build/lib/memseg/errors.py",
    "dist/memseg_orchestrator-0.1.0.tar.gz",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this repository with all that gathers in one."""
    top = tmp_path / "checkout"
    top.mkdir()
    for name in CODE:
        if (TOP / name).is_dir():
            shutil.copytree(TOP / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(TOP / name, top / name)
    for name in LEFT:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
    return top


def _uploaded(checkout: Path, *, gitignore: bool, defaults: bool = True) -> set[str]:
    target = checkout.parent / "package.zip"
    excludes = get_runtime_env_default_excludes() if defaults else []
    create_package(str(checkout), target, include_gitignore=gitignore, excludes=excludes)
    with ZipFile(target) as package:
        return {name for name in package.namelist() if not name.endswith("/")}


def _code(checkout: Path) -> set[str]:
    return {
        str(path.relative_to(checkout))
        for name in ("memseg", "orchestrator", "jobs")
        for path in (checkout / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("gitignore", [True, False], ids=["with .gitignore", "without it"])
def test_code_and_job_files_go_and_nothing_else(checkout: Path, gitignore: bool) -> None:
    # Ray's own exclusions may change: .rayignore is enough without them.
    uploaded = _uploaded(checkout, gitignore=gitignore, defaults=False)
    assert uploaded == _code(checkout) | set(FILES)


def test_rooms_that_are_named_like_data_go_too(checkout: Path) -> None:
    uploaded = _uploaded(checkout, gitignore=True)
    for name in (
        "memseg/data/demo/layout.py",
        "orchestrator/registry/registry.py",
        "orchestrator/results/files.py",
        "jobs/paper.yaml",
    ):
        assert name in uploaded


def test_without_the_file_images_and_workspaces_would_go(checkout: Path) -> None:
    (checkout / ".rayignore").unlink()
    uploaded = _uploaded(checkout, gitignore=True)
    for name in ("data/screw/train/good/000.png", "elsewhere/trials/screw/1a/weights.safetensors"):
        assert name in uploaded


def test_the_upload_is_far_below_the_dashboards_limit(checkout: Path) -> None:
    _uploaded(checkout, gitignore=True)
    assert (checkout.parent / "package.zip").stat().st_size < 4 * 2**20


def test_the_walk_does_not_enter_folders_that_stay(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A data root may hold millions of files: naming "data/" would exclude each of them one by one.
    entered: list[str] = []
    walk = Path.iterdir

    def iterdir(self: Path) -> object:
        entered.append(str(self.relative_to(checkout)))
        return walk(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    _uploaded(checkout, gitignore=True, defaults=False)
    assert "memseg/data" in entered
    assert not {"data", ".venv", "runs", "demo", "tests"} & set(entered)
