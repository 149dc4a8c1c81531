"""Paths in a job, made absolute when they are parsed.

Relative ones, in a job file too, are relative to the directory the command is given in. Ray's
processes run in temporary copies of it, where a relative path would mean another place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memseg.errors import SettingError

_PATHS = ("data.root", "textures", "encoder_weights", "workspace")
_NOT_FILES = ("imagenet", "random")


def in_ray_job(environ: Mapping[str, str]) -> bool:
    """Whether this is the entry point of ``ray job submit``."""
    return "RAY_JOB_CONFIG_JSON_ENV_VAR" in environ or "RAY_JOB_ID" in environ


def is_uri(path: str) -> bool:
    """Whether it is a location like s3://bucket/prefix."""
    return "://" in path


def absolute(path: str, cwd: Path, environ: Mapping[str, str]) -> str:
    """An absolute path; URIs stay as they are."""
    if is_uri(path):
        return path
    if path == "~" or path.startswith("~/"):
        path = str(Path(environ.get("HOME") or Path.home()) / path[2:])
    given = str(cwd / path)
    # Links stay (/data may point elsewhere on another node), so ".." is taken out only where
    # that names the same place.
    tidy = os.path.normpath(given)
    return tidy if os.path.realpath(tidy) == os.path.realpath(given) else given


def absolute_settings(
    settings: Mapping[str, Any], cwd: Path, environ: Mapping[str, str]
) -> dict[str, Any]:
    """The job's own settings, defaults from the environment filled in, with absolute paths.

    Raises SettingError for an empty path, and for a relative workspace inside a Ray job.
    """
    for name in _PATHS:
        if settings.get(name) == "":  # a shell variable that is not set, most likely
            raise SettingError(f"{name} must not be empty; leave it out for its default")
    filled = dict(settings)
    if not filled.get("data.demo") and filled.get("data.root") is None:
        filled["data.root"] = environ.get("MEMSEG_DATA_ROOT") or None
    filled["workspace"] = (
        filled.get("workspace")
        or environ.get("MEMSEG_WORKSPACE")
        or (
            # A Ray job's working directory is a copy that is deleted: its home folder is not.
            "~/memseg-runs" if in_ray_job(environ) else "runs"
        )
    )
    made = {
        name: absolute(filled[name], cwd, environ)
        for name in _PATHS
        if filled.get(name) and not (name == "encoder_weights" and filled[name] in _NOT_FILES)
    }
    if in_ray_job(environ):
        for name in made:
            given = filled[name]
            if not is_uri(given) and not given.startswith(("/", "~")):
                raise SettingError(
                    f"{name} {given!r} is relative: a Ray job runs in a temporary copy of the "
                    f"working directory, which is deleted and which other nodes do not see; give "
                    f"an absolute path or a URI that all nodes share"
                )
    return {**filled, **made}
