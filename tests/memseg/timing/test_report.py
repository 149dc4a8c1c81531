"""Speed reports: arithmetic by hand, and what the text must say."""

from __future__ import annotations

import json

import pytest

from memseg.timing.report import BatchTimes, SpeedReport, speed_text

REPORT = SpeedReport(
    model="screw, version aaaa",
    cpu="A processor",
    device="cpu",
    threads=2,
    precision="bf16",
    size=256,
    packages={"python": "3.11", "torch": "2.10"},
    batches=(
        BatchTimes(1, (0.5, 0.5, 1.0)),
        BatchTimes(4, (1.0, 1.0)),
        BatchTimes(8, ()),
    ),
    memory_samples=30,
    trained_parameters=18_000_000,
    frozen_parameters=2_800_000,
    flops={"trunk": 3_000_000_000, "decoder": 1_000_000_000},
)


def test_images_a_second_are_all_images_by_all_of_the_time() -> None:
    one, four, none = REPORT.batches
    assert one.images_per_second == pytest.approx(1.5)
    assert (one.percentile(50), one.percentile(95)) == pytest.approx((0.5, 0.95))
    assert four.images_per_second == pytest.approx(4.0)
    assert none.images_per_second is none.percentile(50) is None
    assert REPORT.best is four
    assert REPORT.single is one


def test_the_text_says_what_it_was_measured_on_beside_the_papers_figure() -> None:
    text = speed_text(REPORT)
    for said in (
        "screw, version aaaa", "A processor, 2 threads, bf16", "256 x 256 pixels, 30 memory",
        "at batch 1", "at the best batch (4)", "31.34 images/s   0.0319 s", "RTX 3090",
        "did not fit into memory", "18,000,000 trained, 2,800,000 frozen", "75.0%",
        "E (k² + 3N + 3)",
    ):  # fmt: skip
        assert said in text
    assert max(map(len, text.splitlines())) <= 100


def test_an_exported_file_has_no_parameters_to_tell() -> None:
    exported = SpeedReport("m", "c", "cpu", 1, "fp32", 64, {}, REPORT.batches)
    assert "not known of an exported file" in speed_text(exported)
    assert "1 thread," in speed_text(exported)
    assert exported.to_json()["total_flops"] is None


def test_nothing_that_fits_is_no_best_batch() -> None:
    full = SpeedReport("m", "c", "cpu", 1, "fp32", 64, {}, (BatchTimes(1, ()),))
    assert full.best is None
    assert full.single is None
    assert "the paper" in speed_text(full)
    assert full.to_json()["best_batch"] is None


def test_json_is_plain_and_has_the_runs() -> None:
    read = json.loads(json.dumps(REPORT.to_json(), allow_nan=False))
    assert read["best_batch"] == 4
    assert read["batches"][0]["seconds"] == [0.5, 0.5, 1.0]
    assert read["total_flops"] == 4_000_000_000
    assert read["paper"]["images_per_second"] == 31.34
