"""python -m orchestrator.results: writing, checking, adding, and bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from memseg.storage import Folder, open_folder
from orchestrator.ledger.ledger import Ledger
from orchestrator.results.__main__ import DIFFERS, OK, WRONG, main
from orchestrator.results.files import read_experiments
from orchestrator.results.reduce import reduce_result
from tests.orchestrator.results.made import Result, result_of

ROOT = Path(__file__).parents[3]


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
        ("paper: table1", "paper must be one of table3, table4, table5, none"),
        ("labels: {a: 1}", "must be a mapping of settings"),
        ("labels: {no: {}}", "write it in quotes"),
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
        ({"metrics": {"image_auroc": "high"}}, "image_auroc must be a number"),
        ({"git_commit": 7}, "git_commit must be str"),
        ({"synthetic": [1]}, "synthetic must be dict"),
        ({"hardware": {}}, "hardware has neither cpu nor device"),
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


def test_the_projects_own_file_is_what_its_command_writes() -> None:
    assert main(["--results", str(ROOT / "results"), "--out", str(ROOT), "--check"]) == OK
