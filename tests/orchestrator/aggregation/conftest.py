"""Plans and results made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

from memseg.config import MethodConfig, build
from orchestrator.job.job import Axis
from orchestrator.ledger.ledger import Done, Record
from orchestrator.planning.inventory import CategoryInventory
from orchestrator.planning.plan import Plan, Refused
from orchestrator.planning.trial import Inputs, Trial


def make_trial(category: str, lr: float, seed: int, **settings: Any) -> Trial:
    flat = {"optimizer.lr": lr, "training.precision": "fp32", **settings}
    return Trial(
        category, seed, build(MethodConfig, flat),
        Inputs("train", "test", "procedural:1", "sha256:ab"), {"optimizer.lr": lr},
    )  # fmt: skip


def make_plan(
    categories: Sequence[str] = ("screw",),
    rates: Sequence[float] = (0.02, 0.04),
    seeds: Sequence[int] = (0,),
    problems: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    **changed: Any,
) -> Plan:
    """A plan of category x learning rate x seed; categories with a problem are refused."""
    problems = problems or {}
    points = [(c, lr, seed) for c in categories for lr in rates for seed in seeds]
    values: dict[str, Any] = {
        "name": "line", "selection": "synthetic", "keep_weights": "best", "preset": "default",
        "seeds": tuple(seeds), "textures": "procedural:1", "texture_images": 64,
        "encoder_weights": "sha256:ab",
        "axes": (Axis(("optimizer.lr",), tuple((lr,) for lr in rates)),) if len(rates) > 1 else (),
        "categories": tuple(CategoryInventory(c, problem=problems.get(c, "")) for c in categories),
        "trials": tuple(make_trial(*p, **(settings or {})) for p in points if p[0] not in problems),
        "refused": tuple(Refused(c, seed, {"optimizer.lr": lr})
                         for c, lr, seed in points if c in problems),
        "problems": problems,
    }  # fmt: skip
    return Plan(**{**values, **changed})


def make_done(
    trial: Trial,
    image: float | None = 0.9,
    pixel: float | None = 0.8,
    score: float | None = 0.5,
    loss: float = 0.1,
    aupro: float | None = 0.7,
    **changed: Any,
) -> Done:
    """A trial's committed result."""
    metrics = {"image_auroc": image, "pixel_auroc": pixel, "aupro": aupro, "image_ap": 0.6,
               "pixel_ap": 0.5, "image_f1": 0.4, "pixel_f1": 0.3, "image_threshold": 0.2,
               "pixel_threshold": 0.1}  # fmt: skip
    return Done({
        "key": trial.key, "category": trial.category, "seed": trial.seed, "metrics": metrics,
        "undefined": {n: f"no {n} here" for n, v in metrics.items() if v is None},
        "synthetic": None if score is None else {"score": score, "loss": loss, "image_ap": score,
                                                 "pixel_ap": score},
        "steps": trial.method.training.max_steps, "baseline_image_auroc": 0.61,
        "bottleneck_weights": "pretrained", "peak_memory_gib": 1.5,
        "seconds": {"train": 10.0, "evaluate": 1.0, "total": 11.0, "step_median": 0.5},
        **changed,
    })  # fmt: skip


@pytest.fixture
def plan_of() -> Callable[..., Plan]:
    """Makes a plan: ``plan_of(categories, rates, seeds, problems, settings, **changed)``."""
    return make_plan


@pytest.fixture
def done_of() -> Callable[..., Done]:
    """Makes a result: ``done_of(trial, image, pixel, score, loss, aupro, **changed)``."""
    return make_done


@pytest.fixture
def records_of() -> Callable[..., dict[str, Record]]:
    """Makes records: ``records_of(plan, {(category, lr, seed): {...of done_of}})``."""

    def make(
        plan: Plan, results: Mapping[tuple[str, float, int], Mapping[str, Any]] | None = None,
        only: Iterable[Trial] | None = None,
    ) -> dict[str, Record]:  # fmt: skip
        if results is None:
            return {t.key: make_done(t) for t in (plan.trials if only is None else only)}
        by_place = {(t.category, t.method.optimizer.lr, t.seed): t for t in plan.trials}
        return {
            by_place[place].key: make_done(by_place[place], **values)
            for place, values in results.items()
        }

    return make
