"""Jobs, inventories and results made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.job.job import Job
from orchestrator.job.read import read_job
from orchestrator.ledger.ledger import Done, Record
from orchestrator.planning.inventory import CategoryInventory, Inventory
from orchestrator.reproduce.experiment import Experiment, Part
from orchestrator.reproduce.programme import make_part

JobOf = Callable[..., Job]
InventoryOf = Callable[..., Inventory]
PartOf = Callable[..., Part]
Figures = Mapping[tuple[str, str, int], tuple[float | None, float | None]]
RecordsOf = Callable[[Part, Figures], dict[str, Record]]


def make_inventory(*names: str, **normal: int) -> Inventory:
    """Categories with 200 normal images, or as many as are given by name."""
    return Inventory(
        tuple(
            CategoryInventory(
                name, count, test_normal=5, test_anomalous=7, has_masks=True,
                train_hashes=tuple(f"{name} {i}" for i in range(count)),
                train_fingerprint=f"train of {name}", test_fingerprint=f"test of {name}",
            )
            for name, count in {**dict.fromkeys(names, 200), **normal}.items()
        ),
        "sha256:dtd", 5640, "sha256:resnet",
    )  # fmt: skip


@pytest.fixture
def inventory_of() -> InventoryOf:
    """``inventory_of("tile", capsule=40)``."""
    return make_inventory


@pytest.fixture
def job_of(tmp_path: Path) -> JobOf:
    """A job with preset paper and these options."""

    def making(*argv: str) -> Job:
        (tmp_path / "reproduce.yaml").write_text("preset: paper\n")
        options = ["--config", "reproduce.yaml", "--data.root=/i", "--textures=/dtd", *argv]
        return read_job(options, {}, tmp_path)

    return making


@pytest.fixture
def part_of(job_of: JobOf) -> PartOf:
    """An experiment over these categories, with these options."""

    def making(experiment: Experiment, *categories: str, options: tuple[str, ...] = ()) -> Part:
        return make_part(job_of(*options), make_inventory(*categories), "fp32", experiment)

    return making


@pytest.fixture
def records_of() -> RecordsOf:
    """Results by (row, category, seed); what is not named is not done."""

    def making(part: Part, figures: Figures) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for (row, category, seed), (image, pixel) in figures.items():
            trial = next(t for t in part.trials[row][category] if t.seed == seed)
            metrics = {"image_auroc": image, "pixel_auroc": pixel, "aupro": pixel}
            found[trial.key] = Done(result(trial.key, category, seed, metrics))
        return found

    return making


def result(key: str, category: str, seed: int, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """A committed result, as far as tables look at it."""
    return {
        "key": key, "category": category, "seed": seed, "metrics": dict(metrics),
        "undefined": {n: "no mask there" for n, v in metrics.items() if v is None},
        "bottleneck_weights": "pretrained", "seconds": {},
    }  # fmt: skip
