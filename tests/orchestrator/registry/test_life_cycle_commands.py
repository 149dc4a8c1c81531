"""promote, rollback, gc and tables as a person types them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from memseg.config import MethodConfig
from memseg.storage import open_folder
from orchestrator.aggregation.tables import make_tables
from orchestrator.aggregation.write import render_files
from orchestrator.ledger.ledger import Ledger
from orchestrator.ledger.reading import read_records
from orchestrator.planning.inventory import CategoryInventory
from orchestrator.planning.plan import Plan
from orchestrator.planning.plan_file import plan_bytes
from orchestrator.planning.trial import Inputs, Trial
from orchestrator.registry.__main__ import main
from orchestrator.registry.collecting import VERSION, Found, Garbage
from orchestrator.registry.commands import collecting
from orchestrator.registry.registry import Registry

Files = Callable[..., dict[str, bytes]]
KEYS = ("aaaa0001", "bbbb0002", "cccc0003", "dddd0004", "eeee0005")
INPUTS = Inputs("f1", "f2", "procedural:1", "sha256:ab")


@pytest.fixture
def root(tmp_path: Path, files_of: Files) -> Path:
    registry = Registry(open_folder(tmp_path / "registry"))
    for n, key in enumerate(KEYS):
        files = files_of(key, ended_at=f"2026-01-0{n + 1}T00:00:00+00:00")
        registry.publish("screw", key, files)
    return tmp_path


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command; returns exit code, output, errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--workspace", str(root)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


Run = Callable[..., tuple[int, str, str]]


def test_promote_and_rollback_say_what_changed_and_show_remembers_it(run: Run) -> None:
    code, out, _ = run("promote", "screw", "bbbb", "--reason", "fewer false alarms")
    assert code == 0
    assert "the champion of screw is now bbbb0002, it was aaaa0001" in out
    assert "aaaa0001: image auroc 97.50" in out
    code, out, _ = run("promote", "screw", "bbbb0002")
    assert (code, out) == (0, "bbbb0002 is the champion of screw already\n")
    assert "champion aaaa0001 -> bbbb0002 (fewer false alarms)" in run("show", "screw")[1]
    code, out, _ = run("rollback", "screw")
    assert code == 0
    assert "is now aaaa0001, it was bbbb0002" in out
    code, out, err = run("rollback", "screw")
    assert (code, out) == (2, "")
    assert "no champion before aaaa0001" in err


def test_list_marks_champion_and_challenger_and_says_what_is_gone(run: Run, root: Path) -> None:
    registry = Registry(open_folder(root / "registry"))
    registry.challenge("screw", "cccc0003", "")
    lines = [line.split()[:3] for line in run("list")[1].splitlines()]
    assert ["screw", "aaaa0001", "champion"] in lines
    assert ["screw", "cccc0003", "challenger"] in lines
    registry.folder.delete_folder("screw/versions/aaaa0001")
    code, _, err = run("list")
    assert code == 0
    assert "the champion aaaa0001 is gone" in err
    code, _, err = run("show", "screw")
    assert code == 2
    assert "roll back, or promote another version" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("promote", "screw"), "VERSION"),
        (("promote", "screw", "ffff"), "names 0 versions"),
        (("promote", "cable", "aaaa"), "categories: screw"),
        (("rollback", "cable"), "categories: screw"),
        (("gc", "cable"), "there are: screw"),
        (("gc", "--keep", "-1"), "at least 0"),
        (("gc", "--keep", "x"), "--keep"),
        (("tables",), "SWEEP"),
        (("tables", "none"), "there are: none"),
        (("tables", "../x"), "no sweep"),
    ],
)
def test_a_wrong_command_is_one_message(run: Run, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_gc_shows_and_deletes_only_when_told_and_the_ledger_stays(run: Run, root: Path) -> None:
    (root / "trials").mkdir()
    (root / "trials/x").write_text("kept")
    code, out, _ = run("gc")
    assert code == 0
    assert "screw  version  bbbb0002" in out
    assert "aaaa0001" not in out
    assert "1 to delete" in out
    assert "nothing was, give --yes" in out
    assert (root / "registry/screw/versions/bbbb0002").is_dir()
    code, out, _ = run("gc", "--yes")
    assert code == 0
    assert "deleted: screw  version  bbbb0002" in out
    assert not (root / "registry/screw/versions/bbbb0002").exists()
    assert run("gc", "screw") == (0, "nothing to delete\n", "")
    assert run("verify")[0] == 0
    assert (root / "trials/x").read_text() == "kept"


def test_gc_says_what_it_leaves_alone(run: Run, root: Path) -> None:
    (root / "registry/screw/aliases.json").write_text("?")
    code, out, err = run("gc", "--keep", "0", "--yes")
    assert (code, out) == (1, "nothing to delete\n")
    assert "left alone: screw" in err
    assert len(list((root / "registry/screw/versions").iterdir())) == 5


def test_gc_goes_on_when_a_category_breaks_under_it(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = collecting.delete_garbage

    def breaks(registry: Registry, item: Garbage) -> bool:
        if item.name == "bbbb0002":
            registry.folder.write("screw/aliases.json", b"?")
        return real(registry, item)

    monkeypatch.setattr(collecting, "delete_garbage", breaks)
    monkeypatch.setattr(collecting, "find_garbage", lambda *arguments: Found([
        Garbage("screw", VERSION, "versions/bbbb0002", 1, ""),
        Garbage("tile", VERSION, "versions/nowhere1", 1, ""),
    ]))  # fmt: skip
    (root / "registry/tile").mkdir(exist_ok=True)
    (root / "registry/tile/aliases.json").write_text('{"format": 1, "champion": "cccc0003"}')
    code, out, err = run("gc", "--yes")
    assert code == 1
    assert "left alone: screw: bbbb0002" in err
    assert "deleted: tile" in out
    assert (root / "registry/screw/versions/bbbb0002/manifest.json").exists()


def test_what_a_card_of_somebody_else_does_to_terminals_is_not_shown(
    run: Run, root: Path, files_of: Files
) -> None:
    registry = Registry(open_folder(root / "registry"))
    card = b"\x1b[2J\xff# mine\x07\n"
    registry.publish("tile", "aaaa0001", {**files_of("aaaa0001", "tile"), "MODEL_CARD.md": card})
    code, out, _ = run("show", "tile")
    assert code == 0
    assert "\x1b" not in out
    assert "# mine\n" in out


@pytest.fixture
def plan(root: Path, result_of: Callable[..., dict[str, object]]) -> Plan:
    """A sweep of three trials with results, whose plan is in the workspace."""
    trials = tuple(Trial("screw", seed, _fp32(), INPUTS) for seed in range(3))
    ledger = Ledger(open_folder(root))
    for n, trial in enumerate(trials):
        metrics = {"image_auroc": 0.9 + n / 100, "pixel_auroc": 0.8, "aupro": 0.7}
        ledger.commit({**result_of(trial.key, metrics=metrics), "seed": trial.seed})
    plan = Plan(
        name="line", selection="synthetic", keep_weights="best", preset="default",
        seeds=(0, 1, 2), axes=(), textures="procedural:1", texture_images=1,
        encoder_weights="sha256:ab", categories=(CategoryInventory("screw", normal=30),),
        trials=trials,
    )  # fmt: skip
    open_folder(root / "sweeps/line").write("plan.json", plan_bytes(plan))
    return plan


def _fp32() -> MethodConfig:
    method = MethodConfig()
    return replace(method, training=replace(method.training, precision="fp32"))


def test_tables_are_the_bytes_that_the_sweep_wrote(run: Run, root: Path, plan: Plan) -> None:
    records = read_records(Ledger(open_folder(root)), plan.trials)
    expected = render_files(make_tables(plan, records))
    code, out, err = run("tables", "line")
    assert (code, err) == (0, "")
    assert "line: best of each category" in out
    assert "auroc.md" in "".join(out.split())  # a long path is folded
    folder = root / "sweeps/line"
    assert {name: (folder / name).read_bytes() for name in expected} == expected
    assert (folder / "failures.md").is_file()


def test_tables_with_gaps_are_written_and_say_so(run: Run, root: Path, plan: Plan) -> None:
    (root / "trials/screw" / plan.trials[0].key / "result.json").unlink()
    code, out, _ = run("tables", "line")
    assert code == 1
    assert "2 of 3" in out


def test_a_plan_that_cannot_be_read_is_one_message(run: Run, root: Path, plan: Plan) -> None:
    path = root / "sweeps/line/plan.json"
    whole = path.read_text()
    for text, said in (
        ("{", "is not JSON"),
        ("[]", "is damaged"),
        ("{}", "has format None"),
        (whole.replace('"format": 1', '"format": 2'), "has format 2"),
        (whole.replace(plan.trials[0].key, "f" * 20), "another version of the method"),
    ):
        path.write_text(text)
        code, _, err = run("tables", "line")
        assert code == 2
        assert said in err
