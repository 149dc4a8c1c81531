"""The folder of results: one folder an experiment, one small file a trial.

results/<experiment>/experiment.yaml          title, order, text, command, labels
results/<experiment>/<category>-<key>.json    see reduce.py
results/<experiment>/tables/<table>.json      see reproduced.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from memseg.config.settings import unknown_setting
from memseg.errors import DataError, SettingError
from memseg.storage import Folder
from orchestrator.ledger.ledger import Done, Ledger
from orchestrator.planning.trial import default_settings
from orchestrator.results.reduce import reduce_result
from orchestrator.results.reproduced import Table, add_tables, read_tables

ABOUT = "experiment.yaml"
_KNOWN = ("title", "order", "text", "command", "labels", "paper")
_ABLATIONS = ("table3", "table4", "table5")
NOTHING = "none"
_PAPER = (*_ABLATIONS, NOTHING)
_NEEDED = {
    "key": str, "category": str, "seed": int, "method_version": int, "settings": dict,
    "metrics": dict, "steps": int, "encoder_weights": str, "textures": str,
    "bottleneck_weights": str, "precision": str, "torch": str, "memory_samples": int,
    "held_out": int, "hardware": dict, "seconds": dict, "started_at": str, "ended_at": str,
}  # fmt: skip
_OPTIONAL = {"synthetic": dict, "git_commit": str}
"""Must be there, and may be null."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Experiment:
    """Trials that are shown in one table, and what is said of them."""

    name: str
    title: str
    order: int = 0
    text: str = ""
    command: str = ""
    labels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """How a configuration is called -> the settings by which it is known."""
    paper: str = ""
    """Table of the paper whose rows the labels are: "table3", "table4" or "table5". Its averages
    stand beside the trials then, and not the whole method's figures of their category. NOTHING:
    neither do, because nothing was published that they compare with."""
    trials: tuple[Mapping[str, Any], ...] = ()
    tables: tuple[Table, ...] = ()
    """Of orchestrator.reproduce."""


def read_experiments(folder: Folder) -> tuple[Experiment, ...]:
    """All experiments, by order, then name. Raises DataError and SettingError with the file."""
    names = folder.folders()
    if not names:
        raise DataError(f"no experiments in {folder.path}: add one, see --help")
    found = [_read_experiment(folder.sub(name), name) for name in names]
    return tuple(sorted(found, key=lambda experiment: (experiment.order, experiment.name)))


def add_results(workspace: Folder, sweeps: Iterable[str], folder: Folder, name: str) -> int:
    """Copies finished trials of a workspace, all or those of ``sweeps``, into an experiment.

    Returns how many were not there before. Raises DataError where there are none at all.
    """
    into = _experiment(folder, name)
    before = {f.path for f in into.files()}
    ledger = Ledger(workspace)
    results = []
    for category, key in _trials(workspace, tuple(sweeps)):
        record = ledger.record(category, key)
        if isinstance(record, Done):
            results.append(reduce_result(record.result))
    if not results:
        raise DataError(f"no finished trial in {workspace.path}: nothing to add")
    for result in results:
        into.write_json(f"{result['category']}-{result['key']}.json", result)
    _introduce(into, name)
    return len({f.path for f in into.files()} - before - {ABOUT})


def add_reproduced(workspace: Folder, sweep: str, folder: Folder, name: str) -> int:
    """Copies the tables of a sweep of reproduce into an experiment; returns how many.

    Raises DataError where there are none.
    """
    into = _experiment(folder, name)
    added = add_tables(workspace, sweep, into)
    _introduce(into, name)
    return added


def _experiment(folder: Folder, name: str) -> Folder:
    if not _NAME.fullmatch(name):
        raise SettingError(f"{name!r} cannot name an experiment: letters, digits, . _ and -")
    return folder.sub(name)


def _introduce(into: Folder, name: str) -> None:
    if not into.exists(ABOUT):
        into.write(ABOUT, f"title: {json.dumps(name)}\norder: 0\ncommand: ''\n".encode())


def _trials(workspace: Folder, sweeps: tuple[str, ...]) -> list[tuple[str, str]]:
    if not sweeps:
        return [
            (category, key)
            for category in workspace.folders("trials")
            for key in workspace.folders(f"trials/{category}")
        ]
    found = {}
    for sweep in sweeps:
        plan = _json(workspace, f"sweeps/{sweep}/plan.json")
        try:
            found.update({trial["key"]: trial["category"] for trial in plan["trials"]})
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{workspace.path}/sweeps/{sweep}/plan.json is no plan: run the sweep again"
            ) from error
    return [(category, key) for key, category in found.items()]


def _read_experiment(folder: Folder, name: str) -> Experiment:
    about = _about(folder)
    trials = []
    for file in sorted(f.path for f in folder.files() if f.path.endswith(".json")):
        trial = _json(folder, file)
        _check(trial, f"{folder.path}/{file}")
        if file != f"{trial['category']}-{trial['key']}.json":
            raise DataError(
                f"{folder.path}/{file} holds trial {trial['category']}-{trial['key']}: a trial "
                "stands in the file of its own name, once"
            )
        # A setting that came later had the default that changes nothing (see Trial.key).
        trials.append({**trial, "settings": {**default_settings(), **trial["settings"]}})
    tables = read_tables(folder)
    if not trials and not tables:
        raise DataError(f"{folder.path} has no trials: add some, or remove it")
    return Experiment(name=name, **{"title": name, **about}, trials=tuple(trials), tables=tables)


def _check(trial: Mapping[str, Any], place: str) -> None:
    missing = [needed for needed in (*_NEEDED, *_OPTIONAL) if needed not in trial]
    if missing:
        raise DataError(f"{place} has no {', '.join(missing)}")
    for name, kind in (_NEEDED | _OPTIONAL).items():
        may_be_null = name in _OPTIONAL and trial[name] is None
        if not may_be_null and not isinstance(trial[name], kind):
            raise DataError(f"{place}: {name} must be {kind.__name__}, got {trial[name]!r}")
    for name, value in trial["metrics"].items():
        if not isinstance(value, (float, int, type(None))):
            raise DataError(f"{place}: {name} must be a number, got {value!r}")
    if not {"cpu", "device"} & trial["hardware"].keys():
        raise DataError(f"{place}: hardware has neither cpu nor device")
    synthetic = trial["synthetic"]
    if not synthetic:
        return
    lacks = [name for name in ("score", "image_ap", "pixel_ap") if name not in synthetic]
    for kind, part in (synthetic.get("parts") or {}).items():
        lacks += [f"{kind}.{name}" for name in ("image_ap", "pixel_ap") if name not in part]
    if lacks:
        raise DataError(f"{place}: synthetic has no {', '.join(lacks)}")


def _about(folder: Folder) -> dict[str, Any]:
    place = f"{folder.path}/{ABOUT}"
    try:
        about = yaml.safe_load(folder.read(ABOUT)) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingError(f"{place} is no YAML: {error}") from error
    if not isinstance(about, dict):
        raise SettingError(f"{place} must be a mapping with {', '.join(_KNOWN)}")
    for key in about:
        if key not in _KNOWN:
            raise SettingError(f"{place}: {unknown_setting(str(key), _KNOWN)}")
    kinds = {"order": int, "labels": dict}
    for key, value in about.items():
        kind = kinds.get(key, str)
        if not isinstance(value, kind):
            raise SettingError(f"{place}: {key} must be {kind.__name__}, got {value!r}")
    if about.get("paper", NOTHING) not in _PAPER:
        known = ", ".join(_PAPER)
        raise SettingError(f"{place}: paper must be one of {known}, got {about['paper']!r}")
    for label in about.get("labels", {}):
        if not isinstance(label, str):
            raise SettingError(f"{place}: the label {label!r} is no text: write it in quotes")
    if not all(isinstance(settings, dict) for settings in about.get("labels", {}).values()):
        raise SettingError(f"{place}: each of labels must be a mapping of settings")
    return about


def _json(folder: Folder, name: str) -> dict[str, Any]:
    value = folder.read_json(name)
    if value is None:
        raise DataError(f"there is no {folder.path}/{name}")
    if not isinstance(value, dict):
        raise DataError(f"{folder.path}/{name} must hold a JSON object")
    return value
