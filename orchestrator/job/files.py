"""Where job files are: ``jobs/`` below the working directory, or below the checkout.

They are not packaged: in a checkout both are one place, and ``ray job submit --working-dir .``
takes them along into the working directory of the cluster.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from memseg.errors import SettingError
from memseg.storage import local_path
from orchestrator.job.yaml_text import load_text

DEFAULT = "jobs/paper-grid.yaml"
REPOSITORY = Path(__file__).resolve().parents[2]


def find_job_file(given: str, cwd: Path, repository: Path = REPOSITORY) -> Path:
    """The file that ``--config`` names: relative to ``cwd``, else to the checkout.

    Raises SettingError with the job files there are when there is no such file.
    """
    for place in (cwd, repository):
        path = place / local_path(given) if given.startswith("~") else place / given
        try:
            if path.is_dir():
                raise SettingError(f"--config {path} is a folder, a job file is needed")
            if path.exists():
                return path
        except OSError as error:  # of a folder that may not be looked into, or a name too long
            raise SettingError(f"--config {path}: {error.strerror}") from error
    raise SettingError(f"there is no job file {given}\n{describe_job_files(cwd, repository)}")


def read_job_file(path: Path) -> dict[str, Any]:
    """The mapping in a job file, {} for an empty one.

    Raises SettingError where it cannot be read, is not YAML, or is not a mapping.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingError(f"cannot read the job file {path}: {error.strerror}") from error
    tree = load_text(data, str(path))
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise SettingError(
            f"{path} must be a mapping of settings (name: value), it is "
            f"{'a list' if isinstance(tree, list) else 'one value'}"
        )
    return tree


def describe_job_files(cwd: Path, repository: Path = REPOSITORY) -> str:
    """The job files there are, each with its first comment line."""
    found: dict[str, str] = {}
    for place in (repository, cwd):
        for path in sorted((place / "jobs").glob("*.yaml")):
            shown = path.relative_to(place) if place == cwd else path
            found[path.name] = f"  --config {shown}: {_first_comment(path)}"
    if not found:
        return f"(no job files in {cwd / 'jobs'} nor in {repository / 'jobs'})"
    return "\n".join(["job files:", *(found[name] for name in sorted(found))])


def _first_comment(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return "(unreadable)"
    return next((line.lstrip("# ") for line in lines if line.startswith("#")), "(no comment)")
