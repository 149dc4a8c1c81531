"""Settings of a job beside the method's: what to train on, where to keep it, how to run it.

None of these is part of a trial's identity by itself; data, textures and encoder weights are
by content.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from memseg.config.settings import Group, setting
from memseg.errors import SettingError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")
_ADDRESS = re.compile(r"[^\s:/]+:(\d{1,5})")


@dataclass(frozen=True)
class DataConfig(Group):
    """Which images (see memseg.data.layouts)."""

    NAME: ClassVar[str] = "data"
    root: str | None = setting(
        None, "folder or URI with a folder for each category; else the variable MEMSEG_DATA_ROOT"
    )
    layout: Literal["mvtec_ad", "btad", "folder"] = setting(
        "mvtec_ad", "how a category's folder is laid out; folder: by the four settings below"
    )
    categories: tuple[str, ...] = setting(
        (), "categories to train, in this order; empty: all that are found below the root"
    )
    normal: str | None = setting(
        None, "layout folder: normal training images, below the category's folder"
    )
    test_normal: str | None = setting(None, "layout folder: normal test images")
    abnormal: str | None = setting(
        None, "layout folder: anomalous test images; a folder in it is a defect type"
    )
    masks: str | None = setting(None, "layout folder: ground-truth masks of the anomalous images")
    demo: bool = setting(
        False, "draw the demo's product lines under WORKSPACE/demo-data and train on them"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for index, category in enumerate(self.categories):
            if category in self.categories[:index]:
                raise SettingError(f"data.categories names {category!r} twice")
        if self.layout != "folder":
            for name in ("normal", "test_normal", "abnormal", "masks"):
                if getattr(self, name) is not None:
                    raise SettingError(
                        f"data.{name} belongs to data.layout folder, but data.layout is "
                        f"{self.layout}, which knows its own folders"
                    )


@dataclass(frozen=True)
class ResourcesConfig(Group):
    """What one trial takes, and how many run at once."""

    NAME: ClassVar[str] = "resources"
    threads: int = setting(
        1, "CPU threads of a trial; results are equal bit for bit only at equal threads",
        low=1, high=1024,
    )  # fmt: skip
    workers_per_trial: int = setting(
        1, "processes that train one model together; the batch is split among them", low=1, high=64
    )
    cpus_per_trial: int = setting(
        0, "CPUs that Ray sets aside for a worker; 0: as many as threads", low=0, high=1024
    )
    gpus_per_trial: float = setting(
        0.0, "GPUs of a worker, a fraction to share one; 0: one on cuda, none on cpu",
        low=0, high=1,
    )  # fmt: skip
    max_concurrent: int = setting(0, "at most so many trials at once; 0: as many as fit", low=0)
    autoscaled_nodes: int = setting(
        0, "nodes that the cluster's autoscaler starts at most, which Ray does not tell; 0: only "
        "those count that are there when the job starts", low=0, high=10_000,
    )  # fmt: skip
    autoscaled_cpus: int = setting(0, "CPUs of such a node", low=0, high=10_000)
    autoscaled_gpus: int = setting(0, "GPUs of such a node", low=0, high=64)
    autoscaled_memory_gib: float = setting(
        0.0, "memory of such a node as Ray sees it: its container's limit under KubeRay, 70 % of "
        "the machine's with ray up; 0: not known, then nodes are filled by CPUs and GPUs alone",
        low=0, high=100_000,
    )  # fmt: skip

    @property
    def cpus(self) -> int:
        """That Ray sets aside for a worker."""
        return self.cpus_per_trial or self.threads

    def gpus(self, device: str) -> float:
        """Of a worker that computes on ``device``, "cpu" or "cuda"."""
        return (self.gpus_per_trial or 1.0) if device == "cuda" else 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.cpus_per_trial < self.threads:
            raise SettingError(
                f"resources.cpus_per_trial must be at least resources.threads "
                f"({self.threads}) or 0, got {self.cpus_per_trial}"
            )
        if bool(self.autoscaled_nodes) != bool(self.autoscaled_cpus) or (
            (self.autoscaled_gpus or self.autoscaled_memory_gib) and not self.autoscaled_nodes
        ):
            raise SettingError(
                "resources.autoscaled_nodes and resources.autoscaled_cpus belong together (and "
                "autoscaled_gpus and autoscaled_memory_gib to them), got "
                f"{self.autoscaled_nodes} nodes with {self.autoscaled_cpus} CPUs, "
                f"{self.autoscaled_gpus} GPUs and {self.autoscaled_memory_gib:g} GiB"
            )
        if self.workers_per_trial > 1 and 0 < self.gpus_per_trial < 1:
            raise SettingError(
                f"resources.gpus_per_trial must be 1 (or 0) with resources.workers_per_trial "
                f"{self.workers_per_trial}, got {self.gpus_per_trial:g}: NCCL takes one a GPU"
            )


@dataclass(frozen=True)
class HalvingConfig(Group):
    """Successive halving: trials of one category that do worse than others are stopped early."""

    NAME: ClassVar[str] = "halving"
    reduction: int = setting(
        3, "of the trials of a category that come to a rung one in so many goes on", low=2, high=100
    )
    rungs: int = setting(
        2,
        "how often a trial is judged: at max_steps / reduction, / reduction^2, ...",
        low=1,
        high=8,
    )


@dataclass(frozen=True)
class RetrainConfig(Group):
    """Only for orchestrator.retrain: what is trained again, and who becomes champion."""

    NAME: ClassVar[str] = "retrain"
    settings: Literal["registry", "job"] = setting(
        "registry",
        "registry: on top of the job those that were best on average over the registry's "
        "categories, unless the job names them itself; job: the job's as they are",
    )
    tolerance: float = setting(
        0.01, "a challenger may be worse than the champion by so much in each figure", low=0, high=1
    )
    least_images: int = setting(
        2, "held-out normal images that the champion was not trained on: with fewer, synthetic "
        "validation judges nothing", low=1,
    )  # fmt: skip
    warm_start: bool = setting(
        False, "a changed line starts from its champion's weights, not from the encoder's alone: "
        "another trial, with other numbers",
    )  # fmt: skip
    watch: float = setting(
        0.0, "look again every so many seconds, until a signal; 0: once", low=0, high=86400
    )
    settle: float = setting(
        30.0, "with watch: a product line is whole when nothing in it changed for so many seconds",
        low=0, high=86400,
    )  # fmt: skip


@dataclass(frozen=True)
class JobConfig(Group):
    """A job's own settings; the method's settings stand beside them by their dotted names."""

    name: str = setting(
        "", "name of the sweep and of its folder WORKSPACE/sweeps/NAME; else the job file's name"
    )
    preset: str = setting(
        "default", "settings to start from: default, paper (none held out), or best (RESULTS.md)"
    )
    data: DataConfig = field(default_factory=DataConfig)
    textures: str | None = setting(
        None, "folder of texture images, any nesting (DTD); null: textures drawn by the code"
    )
    encoder_weights: str = setting(
        "imagenet", "imagenet (torchvision, downloads 45 MB), a FILE, or random (tests, demo)"
    )
    workspace: str = setting(
        "", "folder or URI of trials, tables and registry; else MEMSEG_WORKSPACE, else runs"
    )
    seeds: tuple[int, ...] = setting((0,), "each trial is run once for each seed", low=0)
    selection: Literal["synthetic", "test"] = setting(
        "synthetic", "what winners are chosen by; test is an oracle and marked as one"
    )
    keep_weights: Literal["best", "all"] = setting(
        "best",
        "weights that stay in the ledger: of current winners, or of all trials (about 90 MB each; "
        "of a trial that was stopped early its checkpoint, 150 MB)",
    )
    executor: Literal["ray", "inline"] = setting(
        "ray", "ray: in parallel, on this machine or a cluster; inline: in this process, in turn"
    )
    address: str | None = setting(
        None, "Ray cluster to join: auto or HOST:PORT; null: RAY_ADDRESS, else a local Ray"
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", "where trials compute; auto: cuda where there is a GPU"
    )
    resources: ResourcesConfig = field(default_factory=ResourcesConfig)
    scheduler: Literal["none", "successive_halving"] = setting(
        "none", "successive_halving: stop trials early by their score on synthetic validation"
    )
    halving: HalvingConfig = field(default_factory=HalvingConfig)
    retrain: RetrainConfig = field(default_factory=RetrainConfig)
    checkpoint_every_steps: int = setting(
        100, "an interrupted trial loses at most so many steps; 0: no checkpoints", low=0
    )
    retry_failed: bool = setting(
        False, "try trials again that failed for their data or settings (after a repair)"
    )
    dry_run: bool = setting(False, "print what would be done and stop; starts nothing")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name and not _NAME.fullmatch(self.name):
            raise SettingError(
                f"name becomes a folder: letters, digits, '_', '-' and '.', not first '.' or '-', "
                f"at most 100, got {self.name!r}"
            )
        if not self.seeds:
            raise SettingError("seeds must hold at least one seed")
        if self.address is not None:
            _check_address(self.address)
        if self.scheduler != "none" and self.selection == "test":
            raise SettingError(
                "scheduler successive_halving judges by synthetic validation, selection test by "
                "the test set: set scheduler none, or selection synthetic"
            )
        if not self.encoder_weights:
            raise SettingError("encoder_weights must be imagenet, random or a FILE, got ''")


def _check_address(address: str) -> None:
    found = _ADDRESS.fullmatch(address)
    if address != "auto" and not (found and 0 < int(found[1]) < 65536):
        raise SettingError(
            f"address must be auto or HOST:PORT, got {address!r}; from outside a cluster use "
            f"ray job submit"
        )
