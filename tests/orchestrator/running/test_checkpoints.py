from pathlib import Path

import pytest

from memseg.storage import Folder, open_folder
from orchestrator.running.checkpoints import FolderCheckpoints


def test_the_newest_is_kept_and_older_ones_go(tmp_path: Path) -> None:
    store = FolderCheckpoints(open_folder(tmp_path / "checkpoints"))
    assert store.load() is None
    store.save(100, b"one")
    store.save(200, b"two")
    assert store.load() == b"two"
    assert [f.path for f in store.folder.files()] == ["step-00000200.safetensors"]


def test_an_interrupted_save_leaves_the_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderCheckpoints(open_folder(tmp_path))
    store.save(100, b"one")

    def interrupted(self: Folder, relative: str, data: bytes) -> None:
        (tmp_path / f".{relative}.1-ab.part").write_bytes(data[:1])
        raise KeyboardInterrupt

    monkeypatch.setattr(Folder, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.save(200, b"two")
    assert store.load() == b"one"


def test_a_checkpoint_that_does_not_count_is_not_found_again_before_newer_ones(
    tmp_path: Path,
) -> None:
    store = FolderCheckpoints(open_folder(tmp_path))
    store.save(300, b"damaged")
    store.discard()
    assert store.load() is None
    store.save(100, b"good")
    assert store.load() == b"good"


def test_who_is_behind_deletes_no_newer_checkpoint(tmp_path: Path) -> None:
    """Of two processes at the same trial, on a bucket."""
    store = FolderCheckpoints(open_folder(tmp_path))
    store.save(200, b"ahead")
    store.save(100, b"behind")
    assert store.load() == b"ahead"
