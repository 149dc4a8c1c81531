"""The text of ``--help``: every setting with its line of documentation, in 100 columns."""

from __future__ import annotations

import textwrap
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union

from memseg.config import MethodConfig, documentation, known_names
from memseg.config.presets import PRESETS
from orchestrator.job.settings import JobConfig

WIDTH = 100
_COLUMN = 30

_INTRODUCTION = """\
usage: python -m orchestrator.sweep [--config FILE] [--NAME VALUE ...]

Trains MemSeg for every category, for every point of a grid, and leaves tables and a registry.
Without --config: the paper's grid (jobs/paper-grid.yaml) on the folder that MEMSEG_DATA_ROOT
names. The same command again goes on where the last one stopped; finished trials are not run
again.

Settings stand in a job file by the same names, nested or dotted; the command line wins. Values
are YAML in which plain words stay text (01 and no are names). Relative paths, those in a job file
too, are relative to the working directory.

Exit codes: 0 all done; 1 some trials failed, the tables are marked, or a winner could not be
published; 2 the command or its input is wrong, or a file of the workspace cannot be used; 3 the
storage is gone or full, or Ray has ended: the same command goes on later; 130 interrupted.
"""

_GRID = (
    ("--config FILE", "job file (YAML)"),
    (
        "--grid.NAME LIST",
        "values of a method setting to search: --grid.optimizer.lr '[0.02, 0.04]'; settings that "
        "move together are one axis: --grid.loss.l1_weight,loss.focal_weight '[[0.4, 0.6], "
        "[0.5, 0.5]]'; null drops an axis of the job file, --grid null all of them",
    ),
    (
        "--per_category.NAME.SETTING",
        "a method setting for one category: --per_category.screw.memory.samples 60; a grid value "
        "wins over it",
    ),
    ("--help", "this text"),
)


_RETRAIN = """\
usage: python -m orchestrator.retrain [--config FILE] [--watch SECONDS] [--NAME VALUE ...]

Compares the data folder with the registry, trains the product lines that are new or changed, and
makes a new model champion where it is not worse than the champion on images that neither knows.
Without --config: jobs/retrain.yaml. All settings of orchestrator.sweep are settings here too, and
those of the group retrain (--watch, --settle, --tolerance and --warm_start also without its name).

Exit codes: 0 all is well, also with nothing to do; 1 a product line could not be used, trained or
judged; 2 the command or its input is wrong; 3 the storage is gone or full, or Ray has ended; 130
interrupted in a training. With --watch a signal between trainings is a clean end, 0.
"""


_REPRODUCE = """\
usage: python -m orchestrator.reproduce WHAT [WHAT ...] [--config FILE] [--NAME VALUE ...]

Runs the trials of the paper's tables and figures on the categories that there are, each once,
and writes each table with the paper's figures beside ours, and what was different under it, into
WORKSPACE/sweeps/reproduce-WHAT. Nothing is published. Without --config: jobs/reproduce.yaml. All
settings of orchestrator.sweep are settings here too, but for a grid. The same command again goes
on where the last one stopped.

WHAT, several apart or with commas:
{what}

Exit codes: 0 all done; 1 some trials failed or their weights are gone, the output says which; 2 the
command or its input is wrong, or a file of the workspace cannot be used; 3 the storage is gone or
full, or Ray has ended: the same command goes on later; 130 interrupted.
"""


def reproduce_help(titles: Mapping[str, str], everything: str) -> str:
    """What ``orchestrator.reproduce --help`` prints. ``titles``: experiment -> its title."""
    what = [_entry(name, title) for name, title in titles.items()]
    return _text(_REPRODUCE.format(what="\n".join([*what, _entry(everything, "all of them")])))


def retrain_help() -> str:
    """What ``orchestrator.retrain --help`` prints."""
    return _text(_RETRAIN)


def help_text() -> str:
    """Everything ``--help`` prints; no line is longer than 100 columns."""
    return _text(_INTRODUCTION)


def _text(introduction: str) -> str:
    parts = [introduction, "Job file, grid and categories"]
    parts += [_entry(left, doc) for left, doc in _GRID]
    parts += _group("", _flat(JobConfig), "Job")
    for prefix, title in (
        ("data", "Data"), ("resources", "Resources"), ("halving", "Successive halving"),
        ("retrain", "Retraining (python -m orchestrator.retrain only)"),
    ):  # fmt: skip
        parts += _group(prefix, _flat(JobConfig), title)
    parts.append("\nMethod (all of it is part of a trial's identity; may be searched by a grid)")
    method = _flat(MethodConfig)
    for prefix in dict.fromkeys(name.partition(".")[0] for name in method):
        parts += _group(prefix, method, "")
    return "\n".join(parts) + "\n"


_Lines = Mapping[str, tuple[str, Any, Any]]


def _flat(owner: type) -> _Lines:
    types_of = known_names(owner)
    return {name: (doc, default, types_of[name])
            for name, (doc, default) in documentation(owner).items()}  # fmt: skip


def _group(prefix: str, lines: _Lines, title: str) -> list[str]:
    parts = [f"\n{title}"] if title else [""]
    for name, (doc, default, hint) in lines.items():
        if name.rpartition(".")[0] == prefix:
            kind = _kind(hint) if name != "preset" else "|".join(PRESETS)
            parts.append(_entry(f"--{name} {kind}", f"{doc}{_default(default)}"))
    return parts


def _default(value: Any) -> str:
    if value is None or value == "" or value == ():
        return ""
    if isinstance(value, bool):
        return f" [{str(value).lower()}]"
    return f" [{', '.join(map(str, value)) if isinstance(value, tuple) else value}]"


def _kind(hint: Any) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _kind(args[0])
    if origin is Literal:
        return "|".join(map(str, args))
    if origin is tuple:
        many = len(args) == 2 and args[1] is Ellipsis
        return f"[{_kind(args[0])}, ...]" if many else f"[{', '.join(map(_kind, args))}]"
    return {int: "N", float: "X", str: "TEXT", bool: "true|false"}[hint]


def _entry(left: str, doc: str) -> str:
    lines = textwrap.wrap(doc, WIDTH - _COLUMN - 2)
    first = f"  {left}"
    if len(first) <= _COLUMN:
        head, rest = f"{first.ljust(_COLUMN + 2)}{lines[0]}", lines[1:]
    else:
        head, rest = first, lines
    return "\n".join([head, *(" " * (_COLUMN + 2) + line for line in rest)])
