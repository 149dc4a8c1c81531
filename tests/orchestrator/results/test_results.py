"""What RESULTS.md says, and that it is reproducible."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from memseg.storage import Folder, open_folder
from orchestrator.aggregation.rows import NONE
from orchestrator.results.files import read_experiments
from orchestrator.results.markdown import render
from tests.orchestrator.results.made import Result, result_of


def rendered(place: Path) -> str:
    return render(read_experiments(open_folder(place / "results")))


def row(text: str, *cells: str) -> None:
    assert f"| {' | '.join(cells)} |" in text.splitlines(), text


def test_a_table_has_a_row_for_each_configuration_with_paper_and_public_code(
    place: Path, put: Callable[..., Folder]
) -> None:
    put(
        "lr", result_of("a", settings={"optimizer.lr": 0.02}, image=0.8),
        result_of("b", image=0.9), result_of("c", "my-line"),
        about="title: Learning rate\ntext: |\n  Which?\ncommand: make it\n",
    )  # fmt: skip
    text = rendered(place)
    assert "## Learning rate\n\nWhich?\n" in text
    known = ("97.80 / 98.00", "93.22 / 94.22")
    row(text, "optimizer.lr 0.02", "screw", "80.00", "95.00", "90.00", "80.00", "1", *known)
    row(text, "optimizer.lr 0.04", "screw", "90.00", "95.00", "90.00", "80.00", "1", *known)
    row(text, "-", "my-line", "90.00", "95.00", "90.00", "80.00", "1", NONE, NONE)
    assert "- steps: 300, not the paper's 2700\n" in text
    assert "- block 4: from random weights (the paper's starts from ImageNet)\n" in text
    assert "held out: 17 normal images" in text
    assert "- training: about 0.5 hours" in text
    assert "- dates: 2026-11-25\n" in text
    assert "```\nmake it\n```" in text


def test_seeds_are_averaged_and_each_is_shown(place: Path, put: Callable[..., Folder]) -> None:
    put(
        "best", result_of("a", image=0.98), result_of("b", image=0.99, seed=1),
        about="title: Best\nlabels:\n  best: {optimizer.lr: 0.04}\n",
    )  # fmt: skip
    text = rendered(place)
    assert "| best | screw | 98.50 ± 0.71 | 95.00 ± 0.00 |" in text
    row(text, "best", "screw", "0", "98.00", "95.00", "90.00")
    row(text, "best", "screw", "1", "99.00", "95.00", "90.00")
    assert "- seeds: 0 (1 trial), 1 (1 trial)\n" in text


def test_an_ablation_stands_beside_the_papers_rows(place: Path, put: Callable[..., Folder]) -> None:
    about = "title: Losses\npaper: table4\nlabels:\n  L1: {loss.l1_weight: 0.6}\n  mine: {}\n"
    other = result_of("b", settings={"loss.l1_weight": 0.0})
    put("losses", result_of("a", settings={"loss.l1_weight": 0.6}), other, about=about)
    text = rendered(place)
    assert "| seeds | paper, average of 15 |\n" in text
    (one,) = [line for line in text.splitlines() if line.startswith("| L1 |")]
    (none,) = [line for line in text.splitlines() if line.startswith("| mine |")]
    assert one.endswith("| 1 | 84.82 / 73.38 |")
    assert none.endswith(f"| 1 | {NONE} |")
    # Two configurations that a label fits are both beside its row.
    settings = {"loss.l1_weight": 0.6, "training.precision": "bf16"}
    put("losses", result_of("c", settings=settings), about=about)
    both = [line for line in rendered(place).splitlines() if line.startswith("| L1: ")]
    assert len(both) == 2
    assert all(line.endswith("| 1 | 84.82 / 73.38 |") for line in both)


def test_nothing_stands_beside_what_nobody_published(
    place: Path, put: Callable[..., Folder]
) -> None:
    put("memory", result_of("a"), about="title: Memory samples\npaper: none\n")
    text = rendered(place)
    assert "| synthetic | seeds |\n" in text
    assert "public code |" not in text


def test_experiments_come_in_their_order_and_twice_the_same_bytes(
    place: Path, put: Callable[..., Folder]
) -> None:
    put("a", result_of("a"), about="title: Later\norder: 2\n")
    put("b", result_of("b"), about="title: First\norder: 1\n")
    text = rendered(place)
    assert text.index("## First") < text.index("## Later")
    assert rendered(place) == text


def test_a_trial_without_validation_or_pixel_masks_has_dashes(
    place: Path, put: Callable[..., Folder]
) -> None:
    metrics = {"image_auroc": 0.9, "pixel_auroc": None, "aupro": None}
    put("a", result_of("a", synthetic=None, metrics=metrics))
    assert f"| - | screw | 90.00 | {NONE} | {NONE} | {NONE} | 1 |" in rendered(place)
    assert "Too few trials" in rendered(place)


def test_a_setting_that_came_later_had_its_default(place: Path, put: Callable[..., Folder]) -> None:
    old = result_of("a", image=0.8)
    del old["settings"]["memory.selection"]
    put("one", old, result_of("b", image=0.9, settings={"memory.selection": "representative"}))
    text = rendered(place)
    assert "| memory.selection random | screw | 80.00 |" in text
    assert "| memory.selection representative | screw | 90.00 |" in text


@pytest.mark.parametrize(
    ("other", "shown"),
    [
        ({"settings": {"optimizer.lr": 0.02}}, "optimizer.lr"),
        ({"encoder_weights": "random"}, "encoder weights"), ({"method_version": 1}, "method"),
    ],
)  # fmt: skip
def test_a_label_never_averages_two_configurations(
    place: Path, put: Callable[..., Folder], other: Result, shown: str
) -> None:
    put("one", result_of("a", image=0.7, **other), result_of("b", image=0.9),
        about="title: One\nlabels:\n  base: {}\n")  # fmt: skip
    text = rendered(place)
    assert "±" not in text.partition("## One")[2]
    assert text.count(f"| base: {shown}") == 2


def test_the_same_weights_judged_twice_are_not_two_seeds(
    place: Path, put: Callable[..., Folder]
) -> None:
    again = result_of("b", training_key="ta", settings={"validation.turned": 4})
    put("one", result_of("a"), again, about="title: One\nlabels:\n  base: {}\n")
    text = rendered(place)
    assert "±" not in text.partition("## One")[2]
    assert "| base: validation.turned 4 | screw |" in text


@pytest.mark.parametrize("inputs", [
    {"train_fingerprint": "d" * 64}, {"test_fingerprint": "d" * 64},
    {"start": "sha256:" + "d" * 64},
], ids=str)  # fmt: skip
def test_trials_on_other_images_or_from_other_weights_are_not_seeds_of_one_another(
    place: Path, put: Callable[..., Folder], inputs: dict[str, str]
) -> None:
    same = {"textures": "sha256:t", "train_fingerprint": "a" * 64, "test_fingerprint": "b" * 64}
    put("one", result_of("a", inputs=same), result_of("b", inputs={**same, **inputs}))
    text = rendered(place).partition("## One")[2]
    assert "±" not in text
    assert "d" * 12 in text


def test_a_mean_over_fewer_seeds_says_so(place: Path, put: Callable[..., Folder]) -> None:
    metrics = {"image_auroc": 0.9, "pixel_auroc": 0.95, "aupro": None}
    put("one", result_of("a"), result_of("b", seed=1, metrics=metrics))
    assert "| 90.00 (1 of 2) |" in rendered(place)


def test_conditions_name_the_gpu_a_changed_code_and_the_limit(
    place: Path, put: Callable[..., Folder]
) -> None:
    gpu = {"cpu": "some", "device": "NVIDIA H100", "threads": 2}
    put("one", result_of("a", hardware=gpu, git_commit="0123456789+"))
    text = rendered(place)
    assert "- hardware: NVIDIA H100, 2 threads" in text
    assert "commit 0123456+\n" in text
    assert "- AUPRO up to a false positive rate of 0.3\n" in text
