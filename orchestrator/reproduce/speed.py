"""Section 4.8: how fast the networks of kept weights are, beside the paper's speeds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from orchestrator.planning.hardware import this_machine
from orchestrator.planning.trial import Trial
from orchestrator.reproduce.experiment import Finished, Output
from orchestrator.reproduce.gathering import Trials, of_each_category
from orchestrator.reproduce.speed_table import Timed, speed_output

if TYPE_CHECKING:
    from memseg.timing.report import SpeedReport

_DECIDES = (
    "image.size", "training.precision", "training.channels_last", "difference.distance",
    "difference.smoothing", "difference.normalisation",
)  # fmt: skip
"""Settings that a network's speed depends on, beside those of the model and its memory."""

Kind = tuple[Any, ...]


def make_speed(finished: Finished) -> Output:
    """Times one network of each kind: those that compute the same are equally fast."""
    kinds: dict[str, Kind] = {}
    reports: dict[Kind, SpeedReport] = {}

    def time_of(trials: Trials) -> SpeedReport:
        ((row, seeds),) = trials.items()
        return _report(finished, seeds[0], row, kinds, reports)

    found = of_each_category(finished, time_of)
    timed = [
        Timed(report, tuple(c for c in found.found if kinds[c] == kind))
        for kind, report in reports.items()
    ]
    return speed_output(finished.part, timed, tuple(found.conditions()))


def kind_of(trial: Trial, samples: int) -> Kind:
    """Equal for networks that compute the same. Pure. ``samples``: in the memory."""
    chosen = {
        name: value
        for name, value in trial.method.by_name.items()
        if name in _DECIDES or name.startswith("model.")
    }
    return (samples, *sorted(chosen.items()))


def _report(
    finished: Finished,
    trial: Trial,
    row: str,
    kinds: dict[str, Kind],
    reports: dict[Kind, SpeedReport],
) -> SpeedReport:
    """The report of the network's kind, measured where it is the first of it."""
    # torch takes seconds to import: only where networks are opened.
    import torch

    from memseg.prediction.network_backend import NetworkBackend
    from memseg.timing import measuring
    from memseg.timing.subject import Subject, report_of
    from memseg.training.execution import set_threads
    from orchestrator.reproduce.opening import open_network

    opened = open_network(finished, trial, row)
    memory = opened.network.memory
    kind = kind_of(trial, 0 if memory is None else len(memory.images))
    if kind not in reports:
        backend = NetworkBackend(opened.network, opened.execution, trial.method.image.size)
        before = torch.get_num_threads()
        set_threads(this_machine(os.environ).cpus)
        try:
            batches = measuring.time_batches(backend, measuring.BATCHES, measuring.SECONDS)
            reports[kind] = report_of(Subject(f"{trial.category} {trial.key}", backend), batches)
        finally:
            set_threads(before)
    kinds[trial.category] = kind
    return reports[kind]
