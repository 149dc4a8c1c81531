"""From a command line to a job. Pure but for reading the job file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from memseg.config import build
from memseg.data.categories import check_category_name
from memseg.errors import DataError, SettingError
from orchestrator.job.arguments import parse_arguments
from orchestrator.job.files import (
    DEFAULT,
    REPOSITORY,
    describe_job_files,
    find_job_file,
    read_job_file,
)
from orchestrator.job.job import Job
from orchestrator.job.layer import Layer, axes, make_layer, merge
from orchestrator.job.layouts import layout_of
from orchestrator.job.paths import absolute_settings, is_uri
from orchestrator.job.settings import JobConfig

DEMO_FOLDER = "demo-data"


def read_job(
    argv: Sequence[str],
    environ: Mapping[str, str],
    cwd: Path,
    repository: Path = REPOSITORY,
) -> Job:
    """The job that a command line asks for.

    ``argv`` without the program's name: ``--config FILE`` and settings by dotted name, which
    win over the file. Without ``--config`` it is the paper's grid (jobs/paper-grid.yaml).
    ``cwd`` is what relative paths, those inside the job file too, are relative to.

    Raises SettingError: unknown settings, wrong types, no data root, names that cannot be
    folders, a relative workspace inside a Ray job. Ranges are checked by ``check_ranges`` and
    when the plan is made.
    """
    arguments = dict(parse_arguments(argv))
    given = arguments.pop("config", None)
    chosen = make_layer(arguments)
    if given is None and _no_data_root(chosen, environ):
        raise SettingError(
            f"nothing to train on: set MEMSEG_DATA_ROOT or give --data.root DIR for the paper's "
            f"grid ({DEFAULT}), or choose a job file\n{describe_job_files(cwd, repository)}"
        )
    path = find_job_file(DEFAULT if given is None else given, cwd, repository)
    base = _file_layer(path)
    _refuse_hidden(chosen, base)
    layer = merge(base, chosen)
    settings = absolute_settings({"name": path.stem, **layer.job}, cwd, environ)
    settings = _with_data_root(settings)
    job = Job(
        config=build(JobConfig, settings),
        method=layer.method,
        grid=axes(layer),
        per_category=layer.per_category,
        file=str(path),
        is_named="name" in layer.job,
        on_a_cluster=bool(settings.get("address") or environ.get("RAY_ADDRESS")),
    )
    _check_categories(job)
    layout_of(job.config.data)
    check_ranges(job)
    return job


def check_ranges(job: Job) -> None:
    """Refuses values out of range before any image is looked at.

    Without named categories only what the job says for all of them, and for those in
    ``per_category``, can be checked here; the plan checks the rest. Raises SettingError.
    """
    categories = job.config.data.categories or tuple(job.per_category) or ("",)
    for category in categories:
        _made(job, category, {}, "")
        for axis in job.grid:
            for values in axis.values:
                point = dict(zip(axis.names, values))
                _made(job, category, point, f"grid.{axis.name}: ")


def _made(job: Job, category: str, point: Mapping[str, Any], where: str) -> None:
    try:
        job.method_for(category, point)
    except SettingError as error:
        place = f"{where}for category {category!r}: " if job.per_category.get(category) else where
        raise SettingError(f"{place}{error}") from error


def _no_data_root(layer: Layer, environ: Mapping[str, str]) -> bool:
    wanted = layer.job.get("data.root") or environ.get("MEMSEG_DATA_ROOT")
    return not wanted and not layer.job.get("data.demo")


def _file_layer(path: Path) -> Layer:
    try:
        return make_layer(read_job_file(path))
    except SettingError as error:
        prefix = "" if str(path) in str(error) else f"{path}: "
        raise SettingError(f"{prefix}{error}") from error


def _refuse_hidden(chosen: Layer, base: Layer) -> None:
    """A setting on the command line that the file would overrule without a word.

    By its grid, or by what it says for a category.
    """
    for category, row in base.per_category.items():
        own = chosen.per_category.get(category, {})
        for name in row:
            if name in chosen.method and name not in own:
                raise SettingError(
                    f"--{name} would have no effect for {category}: the job file has another value "
                    f"for it. Give --per_category.{category}.{name} too"
                )
    if chosen.whole_grid:
        return
    set_here = {name: name for name in chosen.method}
    for category, row in chosen.per_category.items():
        set_here.update({name: f"per_category.{category}.{name}" for name in row})
    changed = {name for names in chosen.grid for name in names}
    for names in base.grid:
        for name in names:
            if name in set_here and name not in changed:
                axis = ",".join(names)
                raise SettingError(
                    f"--{set_here[name]} would have no effect: the job file's grid moves {name}. "
                    f"Give --grid.{axis} a list, or drop that axis with --grid.{axis} null"
                )


def _with_data_root(settings: dict[str, Any]) -> dict[str, Any]:
    if settings.get("data.demo"):
        if settings.get("data.root"):
            raise SettingError(
                "data.demo draws its own images: give data.root or data.demo, not both "
                "(--data.demo false)"
            )
        if is_uri(settings["workspace"]):
            raise SettingError(
                "data.demo draws into the workspace, which must be a local folder then, no address "
                "of a store"
            )
        return {**settings, "data.root": f"{settings['workspace']}/{DEMO_FOLDER}"}
    if not settings.get("data.root"):
        raise SettingError("data.root is not set: give --data.root DIR or set MEMSEG_DATA_ROOT")
    return settings


def _check_categories(job: Job) -> None:
    for where, names in (
        ("data.categories", job.config.data.categories),
        ("per_category", tuple(job.per_category)),
    ):
        for name in names:
            try:
                check_category_name(name)
            except DataError as error:
                raise SettingError(f"{where}: {error}") from error
