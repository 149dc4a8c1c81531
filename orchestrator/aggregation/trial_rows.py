"""The trials table: a row a planned trial, with everything that is known of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from memseg.config import MethodConfig, known_names
from orchestrator.ledger.ledger import Done, Failed, Pruned, Record
from orchestrator.planning.plan import Plan, Refused

DONE, FAILED, PENDING, PRUNED = "done", "failed", "pending", "pruned"

SETTINGS: Mapping[str, Any] = known_names(MethodConfig)
METRICS = (
    "image_auroc", "pixel_auroc", "aupro", "image_ap", "pixel_ap", "image_f1", "pixel_f1",
    "image_threshold", "pixel_threshold",
)  # fmt: skip
_SYNTHETIC = ("score", "image_ap", "pixel_ap", "loss")
_SECONDS = ("train", "evaluate", "step_median", "total")


def _settings_types() -> dict[str, type]:
    # Lists (two-number ranges) are kept as JSON text: every reader of CSV and parquet knows text.
    return {n: t if t in (bool, int, float) else str for n, t in SETTINGS.items()}


COLUMNS: Mapping[str, type] = {
    "category": str,
    "key": str,
    "status": str,
    "selected": bool,
    "seed": int,
    **_settings_types(),
    "textures": str,
    "encoder_weights": str,
    "warm_start": str,
    **dict.fromkeys(METRICS, float),
    **{f"synthetic_{name}": float for name in _SYNTHETIC},
    "baseline_image_auroc": float,
    **{f"seconds_{name}": float for name in _SECONDS},
    "peak_memory_gib": float,
    "pruned_step": int,
    "failure_kind": str,
    "failure_message": str,
    "failure_attempts": int,
}
"""Name -> type, in order. Settings go by their dotted names; any value may be missing."""


def make_trial_columns(
    plan: Plan, records: Mapping[str, Record], winners: frozenset[str]
) -> dict[str, list[Any]]:
    """Column -> a value a planned trial, by category; those that cannot be run follow as failed.

    Columns and not rows, because plans are long: values that trials share are shared here too.
    """
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for row in _rows(plan, records, winners):
        for name, values in columns.items():
            values.append(row.get(name))
    return columns


def _rows(
    plan: Plan, records: Mapping[str, Record], winners: frozenset[str]
) -> Iterator[dict[str, Any]]:
    method, settings = None, {}
    for trial in plan.trials:
        if trial.method is not method:  # the seeds of a point share one, and stand together
            method = trial.method
            settings = {name: _cell(value) for name, value in method.by_name.items()}
        yield {
            "category": trial.category,
            "key": trial.key,
            "seed": trial.seed,
            **settings,
            "textures": trial.inputs.textures,
            "encoder_weights": trial.inputs.encoder_weights,
            "warm_start": trial.start_version,
            **_outcome(records.get(trial.key)),
            "selected": trial.key in winners,
        }
    for refused in plan.refused:
        yield _refused(refused, plan)


def _refused(refused: Refused, plan: Plan) -> dict[str, Any]:
    return {
        "category": refused.category,
        "status": FAILED,
        "selected": False,
        "seed": refused.seed,
        **{name: _cell(value) for name, value in refused.grid.items()},
        "textures": plan.textures,
        "encoder_weights": plan.encoder_weights,
        "failure_kind": "data",
        "failure_message": plan.problems[refused.category],
    }


def _outcome(record: Record | None) -> dict[str, Any]:
    if isinstance(record, Failed):
        failure = record.failure
        return {
            "status": FAILED,
            "failure_kind": failure.get("kind"),
            "failure_message": failure.get("message"),
            "failure_attempts": failure.get("attempts"),
        }
    if isinstance(record, Pruned):
        return {"status": PRUNED, "pruned_step": record.pruned.get("step")}
    if not isinstance(record, Done):
        return {"status": PENDING}
    result = record.result
    synthetic = result.get("synthetic") or {}
    seconds = result.get("seconds") or {}
    return {
        "status": DONE,
        **{name: result["metrics"].get(name) for name in METRICS},
        **{f"synthetic_{name}": synthetic.get(name) for name in _SYNTHETIC},
        "baseline_image_auroc": result.get("baseline_image_auroc"),
        **{f"seconds_{name}": seconds.get(name) for name in _SECONDS},
        "peak_memory_gib": result.get("peak_memory_gib"),
    }


def _cell(value: Any) -> Any:
    return json.dumps(list(value)) if isinstance(value, (list, tuple)) else value
