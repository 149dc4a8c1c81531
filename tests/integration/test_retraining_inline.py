"""Product lines that appear and change, with trainings of seconds, without Ray."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from memseg.storage import open_folder
from orchestrator.registry.registry import Registry
from orchestrator.retrain import promotion
from orchestrator.retrain.__main__ import _own, main
from orchestrator.retrain.lock import only_one

Retrain = Callable[..., int]


def retrain_below(folder: Path, small: Sequence[str], *arguments: str) -> int:
    """Runs the command with small trials over ``data`` and ``ws``; returns its exit code."""
    return main([
        "--data.root", str(folder / "data"),
        "--workspace", str(folder / "ws"),
        "--executor", "inline",
        "--memory.most_share", "1.0",
        "--validation.turned", "1",
        *small,
        *arguments,
    ])  # fmt: skip


@pytest.fixture
def lines(product_lines: Path, tmp_path: Path) -> Path:
    """A data root with one product line."""
    root = tmp_path / "data"
    shutil.copytree(product_lines / "brushed_metal", root / "brushed_metal")
    return root


@pytest.fixture
def retrain(small: Sequence[str], lines: Path, tmp_path: Path) -> Retrain:
    """Runs the command over ``lines``."""
    return functools.partial(retrain_below, tmp_path, small)


@pytest.fixture(scope="module")
def first_batch(
    small: Sequence[str], product_lines: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The workspace of a first batch over the one product line."""
    folder = tmp_path_factory.mktemp("first")
    shutil.copytree(product_lines / "brushed_metal", folder / "data" / "brushed_metal")
    assert retrain_below(folder, small) == 0
    return folder / "ws"


@pytest.fixture
def trained(first_batch: Path, lines: Path, tmp_path: Path) -> None:
    """``lines`` have been trained once."""
    shutil.copytree(first_batch, tmp_path / "ws")


def registry(tmp_path: Path) -> Registry:
    return Registry(open_folder(tmp_path / "ws" / "registry"))


def judged(monkeypatch: pytest.MonkeyPatch, *values: float) -> None:
    """Champion and challenger get these scores, whatever they are worth."""

    def figures(job: Any, winner: Any, versions: Any, images: Any) -> Mapping[str, Any]:
        return {v.id: {"synthetic score": value} for v, value in zip(versions, values)}

    monkeypatch.setattr(promotion, "_figures", figures)


def test_the_life_of_product_lines(
    retrain: Retrain, lines: Path, product_lines: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert retrain() == 0
    first = registry(tmp_path).champion_id("brushed_metal")
    assert "brushed_metal: new" in capsys.readouterr().out

    assert retrain() == 0
    said = capsys.readouterr().out
    assert "nothing to do: 1 product lines looked at" in said

    shutil.copytree(product_lines / "connector", lines / "connector")
    assert retrain() == 0
    said = capsys.readouterr().out
    assert "brushed_metal: unchanged" in said
    assert "connector: new" in said
    assert "1 trial of 1 category" in said
    assert registry(tmp_path).champion_id("connector") is not None

    image = lines / "brushed_metal" / "train" / "good" / "new.png"
    shutil.copy(product_lines / "connector" / "train" / "good" / "000.png", image)
    assert retrain("--tolerance", "1") == 0
    said = capsys.readouterr().out
    assert "connector: unchanged" in said
    assert f"brushed_metal: changed: 1 added (train/good/new.png) since version {first}" in said
    champion = registry(tmp_path).champion_id("brushed_metal")
    assert champion != first
    assert f"{champion} is promoted to champion" in said
    (change,) = registry(tmp_path).history("brushed_metal")[1:]
    assert change.evidence is not None
    assert set(change.evidence["figures"]) == {first, champion}

    image.unlink()
    (lines / "brushed_metal" / "train" / "good" / "001.png").unlink()
    judged(monkeypatch, 0.9, 0.4)
    assert retrain() == 0
    said = capsys.readouterr().out
    assert (
        "stays challenger: worse than the champion by more than 1.00: synthetic score 40.00 "
        "against 90.00" in said
    )
    aliases = registry(tmp_path).aliases("brushed_metal")
    assert aliases.champion == champion
    assert aliases.challenger not in (None, champion, first)

    shutil.rmtree(lines / "connector")
    assert retrain() == 0
    assert "connector: vanished: its folder is gone; its models stay" in capsys.readouterr().out


def test_a_new_model_that_could_not_be_judged_is_judged_the_next_time(
    trained: None, retrain: Retrain, lines: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (lines / "brushed_metal" / "train" / "good" / "001.png").unlink()

    def stopped(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("orchestrator.retrain.batch.settle_aliases", stopped)
        assert retrain() == 130
    found = registry(tmp_path)
    first = found.champion_id("brushed_metal")
    (second,) = set(found.version_ids("brushed_metal")) - {first}
    capsys.readouterr()
    judged(monkeypatch, 0.5, 0.6)
    assert retrain() == 0
    said = capsys.readouterr().out
    assert f"brushed_metal: not judged: version {second} was made from these images" in said
    assert "1 trial of 1 category, 0 to run" in said
    assert f"{second} is promoted to champion" in said
    assert found.champion_id("brushed_metal") == second
    assert retrain() == 0
    assert "brushed_metal: unchanged" in capsys.readouterr().out


def test_images_that_are_put_back_are_judged_again_without_a_training(
    trained: None, retrain: Retrain, lines: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    found = registry(tmp_path)
    first = found.champion_id("brushed_metal")
    image = lines / "brushed_metal" / "train" / "good" / "001.png"
    kept = image.read_bytes()
    image.unlink()
    judged(monkeypatch, 0.5, 0.6)
    assert retrain() == 0
    second = found.champion_id("brushed_metal")
    assert second != first
    image.write_bytes(kept)
    capsys.readouterr()
    assert retrain() == 0
    said = capsys.readouterr().out
    assert f"brushed_metal: not judged: version {first} was made from these images" in said
    assert "1 trial of 1 category, 0 to run" in said
    assert found.champion_id("brushed_metal") == first
    assert retrain() == 0
    assert "brushed_metal: unchanged" in capsys.readouterr().out


def test_a_model_that_waits_is_judged_with_the_settings_and_the_start_that_it_was_made_with(
    retrain: Retrain, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Images are put back whose model started from a champion that is none any more."""
    warm = ("--warm_start", "true")
    found = registry(tmp_path)
    judged(monkeypatch, 0.5, 0.6)
    images = [lines / "brushed_metal" / "train" / "good" / f"00{n}.png" for n in (1, 2)]
    kept = images[1].read_bytes()
    assert retrain(*warm) == 0
    images[0].unlink()
    assert retrain(*warm) == 0
    second = found.champion_id("brushed_metal")
    images[1].unlink()
    assert retrain(*warm) == 0
    assert found.champion_id("brushed_metal") not in (None, second)
    images[1].write_bytes(kept)
    capsys.readouterr()
    assert retrain(*warm, "--optimizer.lr", "0.01") == 0
    said = capsys.readouterr().out
    assert f"brushed_metal: not judged: version {second} was made from these images" in said
    assert "1 trial of 1 category, 0 to run" in said
    assert found.champion_id("brushed_metal") == second


def test_a_folder_without_any_product_line_is_a_disk_that_is_not_mounted(
    trained: None, retrain: Retrain, lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in [path for path in lines.iterdir() if path.is_dir()]:
        shutil.rmtree(line)
    assert retrain() == 2
    assert "is its disk mounted?" in " ".join(capsys.readouterr().err.split())


def test_a_champion_that_a_person_makes_while_it_is_judged_beside_stays(
    trained: None, retrain: Retrain, lines: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    normal = lines / "brushed_metal" / "train" / "good"
    (normal / "001.png").unlink()
    judged(monkeypatch, 0.9, 0.4)
    assert retrain() == 0
    found = registry(tmp_path)
    second = found.aliases("brushed_metal").challenger
    assert second is not None
    (normal / "002.png").unlink()
    beside = []

    def figures(job: Any, winner: Any, versions: Any, images: Any) -> Mapping[str, Any]:
        beside.append(versions[0].id)
        found.promote("brushed_metal", second, "a person saw something")
        return {v.id: {"synthetic score": x} for v, x in zip(versions, (0.5, 0.6, 0.5))}

    monkeypatch.setattr(promotion, "_figures", figures)
    capsys.readouterr()
    assert retrain("--tolerance", "0") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"meanwhile {second} was made champion: judge it again" in said
    assert beside == [beside[0], second]
    newest = found.history("brushed_metal")[-1]
    assert newest.before.champion == second
    assert newest.evidence is not None
    assert second in newest.evidence["figures"]


def test_the_best_configuration_is_of_all_categories_also_when_few_are_looked_at(
    retrain: Retrain, lines: Path, product_lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(product_lines / "connector", lines / "connector")
    assert retrain("--difference.factor", "50") == 0
    (lines / "connector" / "train" / "good" / "001.png").unlink()
    capsys.readouterr()
    assert retrain("--data.categories", "[connector]", "--dry_run") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "settings of the registry's best configuration (2 categories" in said
    assert "brushed_metal" not in said


def test_a_changed_line_starts_from_its_champion_when_it_is_asked_to(
    retrain: Retrain, lines: Path, product_lines: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert retrain("--warm_start", "true") == 0
    said = capsys.readouterr().out
    assert "brushed_metal: new" in said
    assert "brushed_metal: starts" not in said
    found = registry(tmp_path)
    first = found.champion("brushed_metal")
    image = lines / "brushed_metal" / "train" / "good" / "new.png"
    shutil.copy(product_lines / "connector" / "train" / "good" / "000.png", image)

    assert retrain("--warm_start", "true", "--tolerance", "1", "--retrain.settings", "job",
                   "--difference.factor", "50") == 0  # fmt: skip
    said = " ".join(capsys.readouterr().out.split())
    assert f"starts afresh, not from version {first.id}: it was trained with difference.f" in said
    afresh = found.champion("brushed_metal")
    assert "warm_start" not in afresh.read_json("provenance.json")

    image.unlink()
    (lines / "brushed_metal" / "train" / "good" / "001.png").unlink()
    assert retrain("--warm_start", "true", "--tolerance", "1", "--retrain.settings", "job",
                   "--difference.factor", "50") == 0  # fmt: skip
    said = " ".join(capsys.readouterr().out.split())
    assert f"brushed_metal: starts from the weights of version {afresh.id}" in said
    warm = found.champion("brushed_metal")
    assert warm.id not in (first.id, afresh.id)
    provenance = warm.read_json("provenance.json")
    sum_of = afresh.manifest.files["model.safetensors"].sha256
    assert provenance["inputs"]["start"] == f"sha256:{sum_of}"
    assert provenance["warm_start"]["version"] == afresh.id
    assert provenance["warm_start"]["held_out_seen"] is not None
    assert f"warm start from version {afresh.id}" in warm.read("MODEL_CARD.md").decode()
    tables = [path.read_text() for path in (tmp_path / "ws" / "sweeps").glob("*/trials.csv")]
    (table,) = (table for table in tables if warm.id in table)
    assert f",{afresh.id}," in table

    (lines / "brushed_metal" / "train" / "good" / "002.png").unlink()
    warm.folder.delete("model.safetensors")
    assert retrain("--warm_start=true", "--dry_run", "--retrain.settings", "job") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "starts afresh, not from its champion: " in said
    assert "model.safetensors is missing" in said


def test_only_options_are_taken_for_this_commands_own_settings() -> None:
    tokens = ["--watch", "--watch=5", "mywatch", "xxwatch=5", "watch", "--watching"]
    assert [_own(t) for t in tokens] == ["--retrain.watch", "--retrain.watch=5", *tokens[2:]]


def test_a_broken_line_fails_alone(
    retrain: Retrain, lines: Path, product_lines: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    shutil.copytree(product_lines / "connector", lines / "few")
    for image in sorted((lines / "few" / "train" / "good").iterdir())[3:]:
        image.unlink()
    assert retrain() == 1
    said = capsys.readouterr().out
    assert "few: no new version" in said
    assert "has 3 normal images" in said
    assert registry(tmp_path).champion_id("brushed_metal") is not None


def test_a_dry_run_trains_nothing_and_leaves_nothing(
    retrain: Retrain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retrain("--dry_run") == 0
    said = capsys.readouterr().out
    assert "brushed_metal: new" in said
    assert not (tmp_path / "ws" / "registry").exists()
    assert not (tmp_path / "ws" / "trials").exists()


def test_a_second_one_on_the_same_workspace_is_refused(
    retrain: Retrain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with only_one(open_folder(tmp_path / "ws")):
        assert retrain() == 2
    assert "another orchestrator.retrain runs over the workspace" in capsys.readouterr().err


def test_a_watch_trains_what_settles_and_ends_on_a_signal(
    retrain: Retrain, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    looks: list[float] = []

    def wait(seconds: float) -> bool:
        looks.append(seconds)
        return len(looks) == 2

    monkeypatch.setattr("orchestrator.retrain.__main__.wait", wait)
    assert retrain("--watch", "7", "--settle", "0") == 0
    assert looks == [7, 7]
    said = capsys.readouterr().out
    assert said.count("brushed_metal: new") == 1
    assert "stopped between trainings" in said
    assert registry(tmp_path).champion_id("brushed_metal") is not None


def test_a_data_folder_that_is_gone_is_said(
    retrain: Retrain, lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(lines)
    assert retrain() == 2
    assert "does not exist" in " ".join(capsys.readouterr().err.split())
