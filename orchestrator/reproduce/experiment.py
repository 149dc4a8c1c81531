"""What a table or figure of the paper is: rows of settings, and what is made of their trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import RenderableType

from memseg.config import OBJECTS, TEXTURES
from orchestrator.aggregation.published import per_category
from orchestrator.job.job import Job
from orchestrator.ledger.ledger import Ledger, Record
from orchestrator.planning.plan import Plan
from orchestrator.planning.trial import Trial

MVTEC_AD, BTAD = "MVTec AD", "BTAD"
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    MVTEC_AD: (*TEXTURES, *OBJECTS),
    BTAD: per_category("table2").categories,
}
"""Data set -> categories as the paper has them."""


@dataclass(frozen=True)
class Row:
    """One variant of the method: the job's settings but for those that stand here."""

    name: str
    """As published.yaml calls it; unique in its experiment."""
    labels: tuple[str, ...] = ()
    """A cell for each of the experiment's headings."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Dotted name -> value; they win over the job and over a category's own row."""
    weights: bool = False
    """Whether the weights of its trials stay in the ledger, for pictures and other data."""


@dataclass(frozen=True)
class Part:
    """An experiment over the categories that there are. ``programme.make_part`` makes it."""

    experiment: Experiment
    plan: Plan
    trials: Mapping[str, Mapping[str, tuple[Trial, ...]]]
    """Row's name -> category -> its trials, one a seed; no category where it cannot be run.

    The plan has none of them where the experiment does not train.
    """

    @property
    def categories(self) -> tuple[str, ...]:
        """In the order of the job, those that cannot be trained too."""
        return tuple(c.category for c in self.plan.categories)

    @property
    def every_trial(self) -> tuple[Trial, ...]:
        """Of all rows and categories; rows may share some."""
        return tuple(t for row in self.trials.values() for trials in row.values() for t in trials)

    @property
    def missing(self) -> tuple[str, ...]:
        """The paper's categories that are not among ours."""
        return tuple(c for c in self.experiment.categories if c not in self.categories)


@dataclass(frozen=True)
class Finished:
    """What an experiment's output is made from."""

    part: Part
    records: Mapping[str, Record]
    """Key -> what became of the trial; trials that nothing is known of are missing."""
    job: Job
    ledger: Ledger
    """Where weights are, for experiments that need more than results."""


@dataclass(frozen=True)
class Output:
    """What an experiment leaves."""

    files: Mapping[str, bytes]
    """File name -> content, for ``sweeps/NAME``."""
    shown: RenderableType
    """For a terminal of 100 columns."""
    complete: bool = True
    """False where a part of it could not be made; which and why is in ``shown``."""


@dataclass(frozen=True)
class Experiment:
    """A table or figure of the paper."""

    name: str
    """What the command calls it: "table3"."""
    title: str
    data_set: str
    """MVTEC_AD or BTAD."""
    rows: tuple[Row, ...]
    make: Callable[[Finished], Output]
    """Its output, also where some trials are not done; raises MemSegError."""
    headings: tuple[str, ...] = ()
    """Over the labels of the rows."""
    leaves_out: tuple[str, ...] = ()
    """Categories that the paper leaves out of it."""
    remarks: tuple[str, ...] = ()
    """What a reader has to know of its rows, in sentences."""
    trains: bool = True
    """False where only the settings of its trials are of use: none of them is run."""
    from_results: bool = False
    """Whether the trials' results are all that it is made of: then it can be made at any time."""
    pictures: str = ""
    """How the names of its pictures begin, where it is not its own name."""
    pages: bool = False
    """Whether a picture shows many categories, on numbered pages."""
    only_its_data: bool = False
    """Whether its lines are its data set's categories, and another known one's belong elsewhere."""
    needs_memory: bool = False
    """Whether it would mean nothing of networks without memory samples."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The paper's, without those that it leaves out."""
        return tuple(c for c in CATEGORIES[self.data_set] if c not in self.leaves_out)
