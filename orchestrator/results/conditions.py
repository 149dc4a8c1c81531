"""Under which conditions the trials of an experiment were run, as lines of text. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from memseg.words import counted
from orchestrator.aggregation.published import STEPS
from orchestrator.planning.reported_step import reported_step

Trial = Mapping[str, Any]


def condition_lines(trials: Sequence[Trial]) -> list[str]:
    """One line a condition; where trials differ, each value with how many."""
    return [
        f"steps: {_each(trials, _steps)}",
        f"seeds: {_each(trials, lambda t: str(t['seed']))}",
        f"encoder weights: {_each(trials, lambda t: _short(t['encoder_weights']))}",
        f"block 4: {_each(trials, _bottleneck)}",
        f"textures: {_each(trials, lambda t: _short(t['textures']))}",
        f"memory samples: {_each(trials, lambda t: str(t['memory_samples']))}; "
        f"held out: {_each(trials, lambda t: str(t['held_out']))} normal images",
        f"reported step: {_each(trials, lambda t: str(reported_step(t['settings'])))}",
        f"AUPRO up to a false positive rate of {_each(trials, _aupro_limit)}",
        f"precision: {_each(trials, lambda t: str(t['precision']))}",
        f"hardware: {_each(trials, _hardware)}; torch {_each(trials, lambda t: str(t['torch']))}",
        f"training: {_hours(trials)}",
        f"dates: {_dates(trials)}",
        f"method version {_each(trials, lambda t: str(t['method_version']))}, "
        f"commit {_each(trials, lambda t: _commit(t['git_commit']))}",
    ]


def _each(trials: Sequence[Trial], of: Any) -> str:
    counts = Counter(of(trial) for trial in trials)
    if len(counts) == 1:
        return str(next(iter(counts)))
    return ", ".join(
        f"{value} ({counted(count, 'trial')})" for value, count in sorted(counts.items())
    )


def _steps(trial: Trial) -> str:
    steps = int(trial["steps"])
    return str(steps) if steps == STEPS else f"{steps}, not the paper's {STEPS}"


def _short(identity: str) -> str:
    kind, _, digest = identity.partition(":")
    return f"{kind}:{digest[:12]}" if digest else kind


def _bottleneck(trial: Trial) -> str:
    if trial["bottleneck_weights"] == "random":
        return "from random weights (the paper's starts from ImageNet)"
    return "from the file of encoder weights"


def _commit(commit: str | None) -> str:
    """Short; "+" stays: the code was changed beside that commit."""
    if not commit:
        return "unknown"
    return commit[:7] + ("+" if commit.endswith("+") else "")


def _hardware(trial: Trial) -> str:
    found = trial["hardware"]
    # On a GPU "device" is its name, and "cpu" is there all the same.
    device = found.get("device")
    name = found.get("cpu") if device in (None, "cpu") else device
    threads = found.get("threads")
    return f"{name}, {'unknown' if threads is None else counted(threads, 'thread')}"


def _hours(trials: Sequence[Trial]) -> str:
    steps = [t["seconds"]["step_median"] for t in trials if t["seconds"].get("step_median")]
    hours = sum(t["steps"] * (t["seconds"].get("step_median") or 0) for t in trials) / 3600
    if not steps:
        return "not measured"
    return (
        f"about {hours:.1f} hours (steps times their median, {min(steps):.2f} to "
        f"{max(steps):.2f} s)"
    )


def _aupro_limit(trial: Trial) -> str:
    return str(trial["settings"].get("evaluation.aupro_limit", "unknown"))


def _dates(trials: Sequence[Trial]) -> str:
    first, last = min(t["started_at"] for t in trials)[:10], max(t["ended_at"] for t in trials)[:10]
    return first if first == last else f"{first} to {last}"
