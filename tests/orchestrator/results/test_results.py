"""RESULTS.md from small files: what it says, that it is reproducible, and bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from memseg.config import MethodConfig, flatten_config
from memseg.storage import Folder, open_folder
from orchestrator.aggregation.rows import NONE
from orchestrator.ledger.ledger import Ledger
from orchestrator.results.__main__ import DIFFERS, OK, WRONG, main
from orchestrator.results.agreement import agreements, judged, spearman
from orchestrator.results.files import read_experiments
from orchestrator.results.markdown import render
from orchestrator.results.reduce import reduce_result

ROOT = Path(__file__).parents[3]
Result = dict[str, Any]


def result_of(key: str, category: str = "screw", **changed: Any) -> Result:
    settings = {n: list(v) if isinstance(v, tuple) else v
                for n, v in flatten_config(MethodConfig()).items()}  # fmt: skip
    settings |= changed.pop("settings", {})
    image = changed.pop("image", 0.9)
    pixel, score = changed.pop("pixel", 0.95), changed.pop("score", 0.8)
    return {
        "key": key, "training_key": "t" + key, "category": category, "seed": 0,
        "method_version": 2, "settings": settings, "grid": {},
        "inputs": {"textures": "sha256:" + "a" * 64},
        "metrics": {"image_auroc": image, "pixel_auroc": pixel, "aupro": 0.9},
        "synthetic": {"score": score, "image_ap": score, "pixel_ap": score, "loss": 0.1,
                      "parts": {"shapes": {"image_ap": score, "pixel_ap": score}}},
        "steps": 300, "seconds": {"train": 600.0, "evaluate": 16.0, "step_median": 2.0},
        "encoder_weights": "sha256:" + "b" * 64, "bottleneck_weights": "random",
        "precision": "bf16", "training_images": 100, "baseline_image_auroc": 0.5,
        "memory_samples": ["m.png"] * 30, "held_out": ["h.png"] * 17,
        "hardware": {"cpu": "some", "device": "cpu", "threads": 2}, "packages": {"torch": "2.14"},
        "git_commit": "0123456789", "weights_sha256": "c" * 64,
        "started_at": "2026-11-25T06:00:00+00:00", "ended_at": "2026-11-25T06:10:00+00:00",
        **changed,
    }  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def put(place: Path) -> Callable[..., Folder]:
    """Puts results into an experiment: ``put(name, *results, about=...)``."""

    def into(name: str, *results: Result, about: str = "title: One\n") -> Folder:
        folder = open_folder(place / "results" / name)
        folder.write("experiment.yaml", about.encode())
        for result in results:
            file = f"{result['category']}-{result['key']}.json"
            folder.write_json(file, reduce_result(result))
        return folder

    return into


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


# The command


def test_written_then_checked_then_another_result_differs(
    place: Path, put: Callable[..., Folder], capsys: pytest.CaptureFixture[str]
) -> None:
    put("one", result_of("a"))
    assert main(["--check"]) == DIFFERS
    assert "is missing" in capsys.readouterr().out
    assert main([]) == OK
    before = (place / "RESULTS.md").read_bytes()
    assert main(["--check"]) == OK
    put("one", result_of("b"))
    assert main(["--check"]) == DIFFERS
    assert (place / "RESULTS.md").read_bytes() == before
    assert main([]) == OK
    assert (place / "RESULTS.md").read_bytes() != before


def test_results_are_added_from_a_workspace_once(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = open_folder(place / "ws")
    for key in ("a" * 20, "b" * 20):
        Ledger(workspace).commit(result_of(key))
    workspace.write_json("sweeps/s/plan.json", {"trials": [{"key": "a" * 20, "category": "screw"}]})
    assert main(["add", "ws", "one", "--sweep", "s"]) == OK
    assert "1 new results" in capsys.readouterr().out
    assert main(["add", "ws", "one"]) == OK
    assert main(["add", "ws", "one"]) == OK
    assert "0 new results" in capsys.readouterr().out
    (experiment,) = read_experiments(open_folder(place / "results"))
    assert [trial["key"][0] for trial in experiment.trials] == ["a", "b"]
    assert experiment.trials[0]["memory_samples"] == 30  # how many, not which files


def test_nothing_to_add_and_no_such_sweep_are_said(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", "ws", "one"]) == WRONG
    assert "no finished trial in" in capsys.readouterr().err
    assert main(["add", "ws", "one", "--sweep", "s"]) == WRONG
    assert "sweeps/s/plan.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ("title: [", "is no YAML"), ("- a", "must be a mapping"), ("titel: x", "title"),
        ("order: first", "order must be int"), ("labels: [a]", "labels must be dict"),
        ("labels: {a: 1}", "must be a mapping of settings"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_an_experiments_file_is_said_with_its_name(
    put: Callable[..., Folder], capsys: pytest.CaptureFixture[str], about: str, said: str
) -> None:
    put("one", result_of("a"), about=about)
    assert main([]) == WRONG
    message = capsys.readouterr().err
    assert said in message
    assert "one/experiment.yaml" in message


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("screw-b.json", b"{", "is not JSON"), ("screw-b.json", b"[]", "JSON object"),
        ("screw-b.json", b"{}", "has no key"),
    ],
)  # fmt: skip
def test_a_result_file_that_cannot_be_used_is_named(
    put: Callable[..., Folder], capsys: pytest.CaptureFixture[str], file: str, content: bytes,
    said: str,
) -> None:  # fmt: skip
    put("one", result_of("a")).write(file, content)
    assert main([]) == WRONG
    message = capsys.readouterr().err
    assert said in message
    assert file in message


def test_the_same_trial_in_a_second_file_is_refused(
    put: Callable[..., Folder], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = put("one", result_of("a"))
    folder.write("screw-copy.json", folder.read("screw-a.json"))
    assert main([]) == WRONG
    assert "holds trial screw-a" in capsys.readouterr().err


def test_no_results_at_all_are_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == WRONG
    assert "no experiments" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"metrics": None}, "metrics must be dict"), ({"seed": "0"}, "seed must be int"),
        ({"synthetic": {"score": 0.5}}, "synthetic has no image_ap, pixel_ap"),
        ({"synthetic": {"score": 0.5, "image_ap": 0.5, "pixel_ap": 0.5,
                        "parts": {"turned": {"image_ap": 0.5}}}}, "no turned.pixel_ap"),
    ],
)  # fmt: skip
def test_a_result_file_with_a_wrong_value_is_named(
    put: Callable[..., Folder], capsys: pytest.CaptureFixture[str], changed: Result, said: str
) -> None:
    put("one").write_json("screw-a.json", {**reduce_result(result_of("a")), **changed})
    assert main([]) == WRONG
    message = capsys.readouterr().err
    assert said in message
    assert "screw-a.json" in message


@pytest.mark.parametrize("missing", ["encoder_weights", "hardware", "textures", "synthetic"])
def test_a_result_file_without_a_key_is_named(
    put: Callable[..., Folder], capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    result = reduce_result(result_of("a"))
    del result[missing]
    put("one").write_json("screw-a.json", result)
    assert main([]) == WRONG
    assert f"screw-a.json has no {missing}" in capsys.readouterr().err


def test_names_that_leave_the_folder_are_refused_and_any_other_is_a_title(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Ledger(open_folder(place / "ws")).commit(result_of("a" * 20))
    assert main(["add", "ws", "../up"]) == WRONG
    assert "'../up' cannot name an experiment" in capsys.readouterr().err
    assert main(["add", "ws", "no"]) == OK  # YAML 1.1 reads a bare no as false
    assert main([]) == OK
    assert "## no\n" in (place / "RESULTS.md").read_text()


def test_several_sweeps_are_added_and_a_broken_plan_is_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = open_folder(place / "ws")
    for key in ("a" * 20, "b" * 20):
        Ledger(workspace).commit(result_of(key))
        plan = {"trials": [{"key": key, "category": "screw"}]}
        workspace.write_json(f"sweeps/{key[0]}/plan.json", plan)
    assert main(["add", "ws", "one", "--sweep", "a", "b"]) == OK
    assert "2 new results" in capsys.readouterr().out
    workspace.write_json("sweeps/c/plan.json", {})
    assert main(["add", "ws", "one", "--sweep", "c"]) == WRONG
    assert "sweeps/c/plan.json is no plan" in capsys.readouterr().err


# Agreement


@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_rank_correlation_is_scipys(pairs: list[tuple[int, int]]) -> None:
    one, other = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    found = spearman(one, other)
    if len(set(one)) < 2 or len(set(other)) < 2:
        assert found is None
    else:
        assert found == pytest.approx(spearmanr(one, other).statistic)


def test_agreement_is_by_category_and_steps_and_needs_four_configurations() -> None:
    trials = [
        result_of(f"{category}{i}", category, image=0.9 + i / 100, pixel=0.9 - i / 100,
                  score=0.5 + i / 10, steps=steps, settings={"optimizer.lr": 0.01 * (i + 1)})
        for category, steps, count in (("screw", 300, 5), ("screw", 2700, 3), ("part", 300, 4))
        for i in range(count)
    ]  # fmt: skip
    found = agreements([reduce_result(trial) for trial in trials])
    assert [(one.category, one.steps, one.trials) for one in found] == [
        ("part", 300, 4), ("screw", 300, 5),
    ]  # fmt: skip
    for one in found:
        assert one.kind == "shapes"
        assert one.image == pytest.approx(1)
        assert one.pixel == pytest.approx(-1)


def test_seeds_of_one_configuration_rank_nothing() -> None:
    trials = [result_of(str(i), seed=i, image=0.9 + i / 100, score=i / 10) for i in range(6)]
    assert agreements([reduce_result(trial) for trial in trials]) == ()


def test_trials_validated_in_other_ways_are_not_ranked_together() -> None:
    def trial(i: int, contrast: float) -> Result:
        settings = {"optimizer.lr": 0.01 * i, "validation.contrast": [contrast, 0.5]}
        return reduce_result(result_of(f"{i}-{contrast}", settings=settings, image=i / 10,
                                       score=i / 20 + contrast))  # fmt: skip

    few = [trial(i, contrast) for i in (1, 2, 3) for contrast in (0.1, 0.2)]
    assert agreements(few) == ()
    found = agreements([*few, trial(4, 0.1)])
    assert [(one.kind, one.trials) for one in found] == [("shapes, validation.contrast 0.1-0.5", 4)]


def test_two_evaluations_of_the_same_weights_count_once_the_fuller_one() -> None:
    part = {"image_ap": 0.4, "pixel_ap": 0.6}
    synthetic = {"score": 0.6, "image_ap": 0.6, "pixel_ap": 0.6, "loss": 0.1}
    both = {**synthetic, "parts": {"shapes": part, "turned": part}}
    fuller = result_of("b", training_key="t", synthetic=both)
    assert judged([result_of("a", training_key="t"), fuller]) == (fuller,)
    assert judged([fuller, result_of("a", training_key="t")]) == (fuller,)
    assert judged([result_of("a", synthetic=None)]) == ()


def test_the_projects_own_file_is_what_its_command_writes() -> None:
    if not (ROOT / "results").is_dir():
        pytest.skip("no results are committed yet")
    assert main(["--results", str(ROOT / "results"), "--out", str(ROOT), "--check"]) == OK
