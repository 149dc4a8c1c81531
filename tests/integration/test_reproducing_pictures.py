"""Table 6, pictures and speed from the weights that small trials left, without Ray."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from memseg.evaluation.maps import anomaly_maps
from memseg.metrics.auroc import auroc
from memseg.metrics.image_score import image_score
from memseg.prediction.restoring import restore_trial
from memseg.simulation.toy import toy_set
from memseg.storage import open_folder
from memseg.timing import measuring
from memseg.training.execution import make_execution
from orchestrator.ledger.ledger import Done
from orchestrator.reproduce import running
from orchestrator.reproduce.__main__ import main
from orchestrator.reproduce.experiment import Finished
from orchestrator.running import roles

Reproduce = Callable[..., int]
ALL = "table6,figure3,figure5,figure6,figure7,figure9,speed"
PICTURES = {
    "figure3-connector.png", "figure5-connector.png", "figure6.png", "figure7-connector.png",
    "figure9-connector.png", "figure10-connector.png",
}  # fmt: skip


@pytest.fixture
def reproduce(
    small: Sequence[str], product_lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Reproduce:
    """Runs the command inline over one small product line; returns its exit code."""
    monkeypatch.setattr(measuring, "SECONDS", 0.0)
    monkeypatch.setattr(measuring, "BATCHES", (1, 2))

    def run(what: str, *arguments: str) -> int:
        return main([
            what, "--data.root", str(product_lines), "--data.categories", "[connector]",
            "--workspace", str(tmp_path / "ws"), "--executor", "inline", *small,
            "--training.max_steps", "2", *arguments,
        ])  # fmt: skip

    return run


def contents(folder: Path) -> dict[str, bytes]:
    """What is made of networks, without what a clock has a say in."""
    return {
        p.name: p.read_bytes()
        for p in folder.iterdir()
        if p.name.startswith(("table6", "figure")) and p.is_file()
    }


def test_all_are_made_from_kept_weights_and_say_which_are_missing(
    reproduce: Reproduce,
    product_lines: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert reproduce(ALL) == 0
    workspace = tmp_path / "ws"
    folder = workspace / f"sweeps/reproduce-{ALL.replace(',', '-')}"
    trials = list((workspace / "trials/connector").iterdir())
    assert len(trials) == 2
    made = contents(folder)
    assert {name for name in made if name.endswith(".png")} == PICTURES
    for name in PICTURES:
        assert cv2.imdecode(np.frombuffer(made[name], np.uint8), cv2.IMREAD_COLOR) is not None
    (whole,) = [t for t in trials if restored(t).config.loss.l1_weight > 0]
    assert_table_6(folder, whole, product_lines)
    speed = json.loads((folder / "speed.json").read_text())
    assert [b["batch"] for b in speed["networks"][0]["batches"]] == [1, 2]
    printed = " ".join(capsys.readouterr().out.split())
    for text in ("Figure 5", "Section 4.8", "RANDOM ENCODER WEIGHTS", "figure10-connector.png"):
        assert text in printed

    # Again: nothing is trained, and what is evaluated gives the same bytes.
    real = roles.build_network
    monkeypatch.setattr(roles, "build_network", lambda *_: pytest.fail("trained again"))
    assert reproduce(ALL) == 0
    assert contents(folder) == made

    # Figure 3 trains nothing, and knows what another command trained.
    seen: list[Finished] = []
    with monkeypatch.context() as patch:
        patch.setattr(running, "leave_output", lambda finished, *_: not seen.append(finished))
        assert reproduce("figure3") == 0
    (finished,) = seen
    assert [type(finished.records[t.key]) for t in finished.part.every_trial] == [Done]

    # Weights that were changed, then such that an earlier sweep has dropped.
    weights = whole / "model.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert reproduce("figure5") == 1
    assert "was changed since" in " ".join(capsys.readouterr().out.split())
    weights.unlink()
    for name in PICTURES:
        (folder / name).unlink()
    assert reproduce(ALL) == 1
    assert {n for n in contents(folder) if n.endswith(".png")} == {"figure3-connector.png"}
    printed = "".join(capsys.readouterr().out.split())
    advice = f"delete{workspace}/trials/connector/{whole.name}/result.jsonandrunthesamecommand"
    assert printed.count(advice) == 6
    assert "MISSING: connector" in (folder / "table6.md").read_text()

    # What it says to do helps.
    monkeypatch.setattr(roles, "build_network", real)
    (whole / "result.json").unlink()
    assert reproduce("table6") == 0
    again = contents(workspace / "sweeps/reproduce-table6")
    assert again["table6.csv"] == made["table6.csv"]


def restored(trial: Path):  # type: ignore[no-untyped-def]
    return restore_trial(open_folder(trial))


def assert_table_6(folder: Path, trial: Path, root: Path) -> None:
    """The table's figures, computed once more from the files."""
    model = restored(trial)
    good = sorted((root / "connector/test/good").iterdir())
    normal = np.stack([cv2.imread(str(p))[:, :, ::-1].transpose(2, 0, 1) for p in good])
    toy = toy_set(normal, 0)
    execution = make_execution("cpu", "fp32", model.config.training.channels_last)
    execution.place(model.network)
    maps = [anomaly_maps(model.network, images, execution) for images in (normal, toy.images)]
    scores = [image_score(m, model.config.evaluation.top_pixels) for m in maps]
    labels = np.repeat([False, True], [len(normal), len(toy.images)])
    table = pd.read_csv(folder / "table6.csv").set_index("category")
    assert table.loc["connector", "image_auroc"] == pytest.approx(
        auroc(np.concatenate(scores), labels)
    )
    truth = np.concatenate([np.zeros_like(toy.masks), toy.masks])
    assert table.loc["connector", "pixel_auroc"] == pytest.approx(
        auroc(np.concatenate(maps).ravel(), truth.ravel()), abs=1e-4
    )
    assert table.loc["paper's MemSeg, all 15", "paper_image_auroc"] == 0.9983


def test_figure_3_needs_no_training(
    reproduce: Reproduce, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reproduce("figure3", "--dry_run") == 0
    assert "nothing is trained" in capsys.readouterr().out
    assert reproduce("figure3") == 0
    assert "RANDOM ENCODER" not in capsys.readouterr().out  # nothing of it depends on them
    assert not (tmp_path / "ws/trials").exists()
    assert [p.name for p in (tmp_path / "ws/sweeps/reproduce-figure3").iterdir()] == [
        "figure3-connector.png"
    ]
