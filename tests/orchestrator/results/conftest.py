"""A results folder in a place of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from memseg.storage import Folder, open_folder
from orchestrator.results.reduce import reduce_result
from tests.orchestrator.results.made import Result


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def put(place: Path) -> Callable[..., Folder]:
    """Puts results into an experiment: ``put(name, *results, about=...)``."""

    def into(name: str, *results: Result, about: str = "title: One\n") -> Folder:
        folder = open_folder(place / "results" / name)
        folder.write("experiment.yaml", about.encode())
        for result in results:
            file = f"{result['category']}-{result['key']}.json"
            folder.write_json(file, reduce_result(result))
        return folder

    return into
