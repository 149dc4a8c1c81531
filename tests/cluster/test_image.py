"""The Dockerfile and what its build can see. Nothing is built here."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cluster.validators import CLUSTER

TOP = CLUSTER.parent


def _instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", "", (CLUSTER / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def _copied() -> set[str]:
    return {
        source for word, rest in _instructions() if word == "COPY" for source in rest.split()[:-1]
    }


def _let_in() -> list[str]:
    lines = (TOP / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_base_is_one_version_of_a_python_that_the_project_takes() -> None:
    ((_, base),) = [i for i in _instructions() if i[0] == "FROM"]
    assert re.fullmatch(r"python:3\.1[1-9]-slim-[a-z]+", base)


def test_the_image_ends_as_a_user_that_is_not_root() -> None:
    users = [rest for word, rest in _instructions() if word == "USER"]
    assert users[-1].isdigit()
    assert int(users[-1]) > 0


def test_the_image_asks_for_a_token() -> None:
    assert any("RAY_AUTH_MODE=token" in rest for word, rest in _instructions() if word == "ENV")


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    first, *rest = _let_in()
    assert first == "*"
    assert {line.removeprefix("!") for line in rest if line.startswith("!")} == _copied()
    for source in _copied():
        assert (TOP / source).exists()


def test_what_is_copied_is_what_the_package_is_made_of() -> None:
    packages = {path.parent.name for path in TOP.glob("*/__init__.py")}
    assert {"jobs", "pyproject.toml", *packages} - {"tests"} <= _copied()
    assert not {path for path in _copied() if Path(path).name in {"data", "tests", "demo", "runs"}}


def test_packages_are_installed_when_it_is_built_with_pinned_versions() -> None:
    (install,) = [rest for word, rest in _instructions() if "--requirement" in rest]
    assert "--constraint constraints.txt" in install
