"""Folders to an inventory. Images are listed and hashed, never decoded: any bytes will do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from memseg.errors import (
    DataError,
    EmptyDataError,
    MemSegError,
    SettingError,
    StorageDownError,
    StorageError,
)
from memseg.storage import Folder
from orchestrator.job.job import Job
from orchestrator.job.read import read_job
from orchestrator.planning import inventory as room
from orchestrator.planning.inventory import Inventory, gather_inventory, hash_cache_file
from orchestrator.planning.plan import make_plan


def test_categories_are_found_counted_and_fingerprinted(tmp_path: Path) -> None:
    for name in ("tile", "01", "no"):
        _draw(tmp_path / "images" / name)
    found = _gather(tmp_path)
    assert [c.category for c in found.categories] == ["01", "no", "tile"]
    for category in found.categories:
        assert (category.normal, category.test_normal, category.test_anomalous) == (20, 2, 3)
        assert category.has_masks
        assert category.problem == ""
        assert len(category.train_hashes) == 20
    assert found.textures.startswith("procedural:")
    assert found.encoder_weights == "random"


def test_categories_that_yaml_would_misread_are_found_by_name(tmp_path: Path) -> None:
    for name in ("01", "no", "tile"):
        _draw(tmp_path / "images" / name)
    found = _gather(tmp_path, "--data.categories", "[no, 01]")
    assert [(c.category, c.problem) for c in found.categories] == [("no", ""), ("01", "")]


def test_a_changed_image_changes_the_fingerprint_it_belongs_to_and_no_other(
    tmp_path: Path,
) -> None:
    _draw(tmp_path / "images" / "tile")
    (before,) = _gather(tmp_path).categories
    (tmp_path / "images" / "tile" / "test" / "good" / "000.png").write_bytes(b"other")
    (after,) = _gather(tmp_path).categories
    assert after.train_fingerprint == before.train_fingerprint
    assert after.test_fingerprint != before.test_fingerprint
    (tmp_path / "images" / "tile" / "train" / "good" / "003.png").write_bytes(b"other")
    (last,) = _gather(tmp_path).categories
    assert last.train_fingerprint != before.train_fingerprint
    assert last.test_fingerprint == after.test_fingerprint


def test_a_storage_that_is_gone_is_no_categorys_own_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("screw", "tile"):
        _draw(tmp_path / "images" / name)
    asked: list[str] = []

    def gone(root: Folder, layout: object, category: str) -> None:
        asked.append(category)
        raise StorageDownError("cannot list it; waited 60 s for it")

    monkeypatch.setattr(room, "list_category", gone)
    with pytest.raises(StorageDownError, match="waited 60 s"):
        _gather(tmp_path)
    assert asked == ["screw"]


def test_a_category_without_normal_images_is_its_own_problem(tmp_path: Path) -> None:
    _draw(tmp_path / "images" / "tile")
    (tmp_path / "images" / "empty" / "train" / "good").mkdir(parents=True)
    job = _job(tmp_path, "--data.categories", "[empty, tile, tils]", "--memory.samples", "5")
    found = gather_inventory(job, {})
    problems = {c.category: c.problem for c in found.categories}
    assert problems["tile"] == ""
    assert "no normal image" in problems["empty"]
    assert "did you mean 'tile'" in problems["tils"]
    plan = make_plan(job, found, "fp32")
    assert set(plan.problems) == {"empty", "tils"}
    assert [t.category for t in plan.trials] == ["tile"]


def test_lines_whose_names_differ_in_case_are_both_refused_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    for name in ("Tile", "tile", "wood", "caf\u00e9", "cafe\u0301"):
        _draw(tmp_path / "images" / name)
    found = _gather(tmp_path)
    problems = {c.category: c.problem for c in found.categories}
    assert problems.pop("wood") == ""
    assert len(problems) == 4
    assert all("only: on a disk" in problem for problem in problems.values())
    assert "'Tile' and 'tile' differ" in problems["tile"]
    # Also where only one of them is asked for; the other's model may be there already.
    (alone,) = _gather(tmp_path, "--data.categories", "[tile]").categories
    assert alone.problem == problems["tile"]
    (missing,) = _gather(tmp_path, "--data.categories", "[Wood]").categories
    assert "did you mean 'wood'" in missing.problem


def test_a_mask_that_is_missing_is_its_categorys_problem(tmp_path: Path) -> None:
    for name in ("tile", "wood"):
        _draw(tmp_path / "images" / name)
    (tmp_path / "images" / "wood" / "ground_truth" / "crack" / "001_mask.png").unlink()
    found = _gather(tmp_path)
    assert [c.category for c in found.categories if not c.problem] == ["tile"]
    assert "wood/test/crack/001.png" in found.categories[1].problem


@pytest.mark.parametrize(
    ("argv", "error", "message"),
    [
        (["--data.root", "absent"], EmptyDataError, "absent does not exist"),
        (["--data.root", "absent", "--data.categories", "[tile]"], DataError, "does not exist"),
        (["--textures", "absent"], DataError, "absent"),
        (["--encoder_weights", "absent.pth"], MemSegError, "absent.pth"),
        (["--workspace", "file"], StorageError, "file is a file, a folder is needed"),
        (["--workspace", "odd://x"], StorageError, "cannot open odd://x"),
    ],
)
def test_what_all_categories_need_is_an_error_of_the_command(
    tmp_path: Path, argv: list[str], error: type[MemSegError], message: str
) -> None:
    _draw(tmp_path / "images" / "tile")
    (tmp_path / "file").write_text("")
    with pytest.raises(error, match=message):
        _gather(tmp_path, *argv)


def test_textures_are_counted_at_any_depth_and_known_by_content(tmp_path: Path) -> None:
    _draw(tmp_path / "images" / "tile")
    for name in ("a/1.png", "b/c/2.jpg"):
        path = tmp_path / "dtd" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
    found = _gather(tmp_path, "--textures", "dtd")
    assert found.texture_images == 2
    assert found.textures.startswith("sha256:")


def test_a_folder_layout_reads_the_folders_it_is_given(tmp_path: Path) -> None:
    for name in ("fine/1.png", "fine/2.png", "broken/dent/1.png"):
        path = tmp_path / "images" / "lid" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    argv = ["--data.layout", "folder", "--data.normal", "fine", "--data.abnormal", "broken"]
    (found,) = _gather(tmp_path, *argv).categories
    assert (found.normal, found.test_normal, found.test_anomalous) == (2, 0, 1)
    assert not found.has_masks
    with pytest.raises(SettingError, match=r"data\.normal must be a folder below"):
        _job(tmp_path, "--data.layout", "folder", "--data.normal", "../x")


def test_hashes_are_kept_in_the_workspace_or_at_home_beside_a_remote_one(tmp_path: Path) -> None:
    assert hash_cache_file(str(tmp_path), {}) == tmp_path / "cache" / "hashes.json"
    remote = hash_cache_file("mock://kept", {"XDG_CACHE_HOME": "/c"})
    assert remote == Path("/c/memseg-orchestrator/hashes.json")
    _draw(tmp_path / "images" / "tile", old=True)
    _gather(tmp_path)
    kept = json.loads((tmp_path / "runs" / "cache" / "hashes.json").read_text())
    assert len(kept["files"]) == 20 + 2 + 3 + 3


def _draw(folder: Path, *, old: bool = False) -> None:
    names = [f"train/good/{i:03}.png" for i in range(20)]
    names += [f"test/good/{i:03}.png" for i in range(2)]
    names += [f"test/crack/{i:03}.png" for i in range(3)]
    names += [f"ground_truth/crack/{i:03}_mask.png" for i in range(3)]
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{folder.name} {name}".encode())
        if old:
            _age(path)


def _age(path: Path) -> None:
    os.utime(path, (1_700_000_000, 1_700_000_000))


def _job(tmp_path: Path, *argv: str) -> Job:
    (tmp_path / "line.yaml").write_text("encoder_weights: random\ndata.root: images\n")
    return read_job(["--config", "line.yaml", *argv], {}, tmp_path)


def _gather(tmp_path: Path, *argv: str) -> Inventory:
    return gather_inventory(_job(tmp_path, *argv), {})


def test_unread_images_are_counted_and_nothing_of_them_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _draw(tmp_path / "images" / "tile")
    job = _job(tmp_path)
    monkeypatch.setattr(Folder, "read", _read_nothing)
    (unread,) = gather_inventory(job, {}, unread=True).categories
    monkeypatch.undo()
    (read,) = gather_inventory(job, {}).categories
    assert (unread.normal, unread.test_anomalous) == (read.normal, read.test_anomalous)
    assert len(set(unread.train_hashes)) == 20
    assert unread.train_fingerprint != read.train_fingerprint
    assert set(unread.files.values()).isdisjoint(read.files.values())


def _read_nothing(self: Folder, relative: str) -> bytes:
    raise AssertionError(f"{relative} was read")
