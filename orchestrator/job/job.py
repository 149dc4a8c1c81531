"""A job: everything a sweep was asked to do, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from memseg.config import MethodConfig, resolve
from orchestrator.job.settings import JobConfig
from orchestrator.job.start import Start


@dataclass(frozen=True)
class Axis:
    """One direction of the grid: settings that move together through a list of values."""

    names: tuple[str, ...]
    """Dotted names of method settings."""
    values: tuple[tuple[Any, ...], ...]
    """Each a value for each name."""

    @property
    def name(self) -> str:
        """As job files write it: names joined by commas."""
        return ",".join(self.names)


@dataclass(frozen=True)
class Job:
    """A job file with the command line's changes; paths are absolute, values have their types."""

    config: JobConfig
    method: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the method for all categories, by dotted name."""
    grid: tuple[Axis, ...] = ()
    per_category: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Settings of the method for one category; they win over ``method``."""
    starts: Mapping[str, Start] = field(default_factory=dict)
    """Category -> the model that its trials start from where they can; of others, afresh."""
    file: str | None = None
    """The job file; None where everything came from elsewhere."""
    is_named: bool = False
    """Whether the sweep has been given a name; else it has the job file's."""
    on_a_cluster: bool = False
    """Whether a cluster's address is set, by the job or by Ray's own variable."""

    def method_for(self, category: str, point: Mapping[str, Any]) -> MethodConfig:
        """The category's method at a point of the grid: preset, the category's own row, job,
        job for the category, grid value; later ones win.

        Raises SettingError for values out of range.
        """
        return resolve(
            self.config.preset,
            category,
            self.method,
            self.per_category.get(category, {}),
            point,
        )
