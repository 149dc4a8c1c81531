"""The index: used where it is right, ignored with a word where it is not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memseg.config import MethodConfig
from memseg.storage import Folder, open_folder
from orchestrator.ledger import rebuild
from orchestrator.ledger.__main__ import main
from orchestrator.ledger.index import Entry, encode, index_files, index_path
from orchestrator.ledger.ledger import Done, Ledger
from orchestrator.ledger.listing import Stamp
from orchestrator.ledger.reading import read_records
from orchestrator.ledger.rebuild import rebuild_index
from orchestrator.planning.trial import Inputs, Trial

INPUTS = Inputs("train", "test", "procedural:1", "random")
TRIALS = [Trial(c, seed, MethodConfig(), INPUTS) for c in ("screw", "tile") for seed in range(3)]
LONG_AGO_S = 1_700_000_000


def result(trial: Trial, **changed: Any) -> dict[str, Any]:
    return {
        "category": trial.category, "key": trial.key, "weights_sha256": "w", "metrics": {"a": 0.1},
        "settings": trial.settings, "synthetic": None, "grid": {"optimizer.lr": 0.04},
        "undefined": {"aupro": 'no "masks", ✗'}, "hardware": None, **changed,
    }  # fmt: skip


@pytest.fixture
def old(tmp_path: Path) -> Folder:
    """A workspace on a disk with a result for each trial, written long ago."""
    workspace = open_folder(tmp_path)
    for trial in TRIALS:
        Ledger(workspace).commit(result(trial))
        age(result_file(workspace, trial))
    return workspace


def result_file(workspace: Folder, trial: Trial) -> Path:
    return Path(workspace.at(f"trials/{trial.category}/{trial.key}/result.json"))


def age(path: Path) -> None:
    os.utime(path, (LONG_AGO_S, LONG_AGO_S))


def read(workspace: Folder) -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    return dict(read_records(Ledger(workspace), TRIALS, said.append)), said


def all_done() -> dict[str, Done]:
    return {trial.key: Done(result(trial)) for trial in TRIALS}


def test_results_come_back_whole_on_every_storage(
    workspace: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "_SETTLED_NS", -(10**12))  # as if all were written long ago
    for trial in TRIALS:
        Ledger(workspace).commit(result(trial))
    assert rebuild_index(workspace).results == len(TRIALS)
    opened = counting_reads(monkeypatch)
    assert read(workspace) == (all_done(), [])
    assert [path for path in opened if path.endswith(".json")] == []
    assert len(opened) == 1


def counting_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the files that are read from now on."""
    opened: list[str] = []
    real = Folder.read

    def reading(self: Folder, relative: str) -> bytes:
        opened.append(relative)
        return real(self, relative)

    monkeypatch.setattr(Folder, "read", reading)
    return opened


def test_only_what_changed_is_read_from_its_file(
    old: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuild_index(old)
    Ledger(old).commit(result(TRIALS[0], weights_sha256="v"))
    Ledger(old).commit(result(TRIALS[1]))  # again: the first one stays
    opened = counting_reads(monkeypatch)
    found, said = read(old)
    assert found == {**all_done(), TRIALS[0].key: Done(result(TRIALS[0], weights_sha256="v"))}
    assert sum(path.endswith("result.json") for path in opened) == 1
    assert not said


def test_deleting_the_index_loses_nothing_and_making_it_again_gives_the_same_bytes(
    old: Folder,
) -> None:
    path = rebuild_index(old).path
    data = old.read(path)
    old.delete(path)
    assert read(old) == (all_done(), [])
    assert rebuild_index(old).path == path
    assert old.read(path) == data
    assert index_files(old) == [path]
    assert [file.path for file in old.sub("cache").files()] == [path.partition("/")[2]]


def test_an_older_index_is_replaced(old: Folder) -> None:
    first = rebuild_index(old)
    old.delete_folder(f"trials/tile/{TRIALS[-1].key}")
    second = rebuild_index(old)
    assert (first.results, second.results) == (6, 5)
    assert index_files(old) == [second.path] != [first.path]


def test_what_was_written_just_now_is_left_to_its_file(old: Folder) -> None:
    Ledger(old).commit(result(TRIALS[0], weights_sha256="v"))
    rebuilt = rebuild_index(old)
    assert (rebuilt.results, rebuilt.fresh) == (5, 1)
    # The same second, the same size: no listing could tell.
    os.utime(result_file(old, TRIALS[0]))
    Ledger(old).commit(result(TRIALS[0], weights_sha256="u"))
    assert read(old)[0][TRIALS[0].key] == Done(result(TRIALS[0], weights_sha256="u"))


@pytest.mark.parametrize("position", [0, 10, 0.3, 0.6, -9, -1])
def test_a_flipped_bit_anywhere_is_seen_and_said(old: Folder, position: float) -> None:
    path = Path(old.at(rebuild_index(old).path))
    data = bytearray(path.read_bytes())
    at = int(position * len(data)) if isinstance(position, float) else position
    data[at] ^= 4
    path.write_bytes(data)
    found, said = read(old)
    assert found == all_done()
    assert len(said) == 1
    assert "damaged" in said[0]
    assert "orchestrator.ledger index" in said[0]


def rewritten(old: Folder, data: bytes) -> tuple[dict[str, Any], list[str]]:
    """What is read where an index of these bytes takes the place of the other."""
    for path in index_files(old):
        old.delete(path)
    old.write(index_path(data), data)
    return read(old)


def with_metadata(data: bytes, metadata: dict[bytes, bytes]) -> bytes:
    table = pq.read_table(pa.BufferReader(data)).replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def test_an_index_that_is_none_or_of_a_newer_program_is_ignored(old: Folder) -> None:
    data = old.read(rebuild_index(old).path)
    newer = with_metadata(data, {b"memseg.ledger": b'{"format": 2, "categories": ["screw"]}'})
    other = with_metadata(data, {})
    wrong = with_metadata(data, {b"memseg.ledger": b'{"format": 1, "categories": ["a", "screw"]}'})
    for bytes_, reason in (
        (b"", "not used"), (b"PAR1", "not used"), (data[:-30], "not used"),
        (newer, "format 2, this program reads 1"), (other, "not used"), (wrong, "not used"),
    ):  # fmt: skip
        found, said = rewritten(old, bytes_)
        assert found == all_done()
        assert len(said) == 1
        assert reason in said[0]


def test_an_entry_without_its_file_or_of_another_time_is_not_believed(old: Folder) -> None:
    trial = TRIALS[0]
    info = result_file(old, trial).stat()
    wrong = result(trial, weights_sha256="wrong")
    for stamp in (
        Stamp(info.st_size + 1, info.st_mtime_ns),
        Stamp(info.st_size, info.st_mtime_ns + 1),
    ):
        data = encode({trial.category: lambda stamp=stamp: [Entry(trial.key, stamp, wrong)]})
        assert rewritten(old, data) == (all_done(), [])
    absent = Stamp(info.st_size, info.st_mtime_ns)
    data = encode({"screw": lambda: [Entry("0123absent", absent, wrong)], "gone": list})
    assert rewritten(old, data) == (all_done(), [])


def test_a_result_that_cannot_be_read_is_left_out_and_named(
    old: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    file = result_file(old, TRIALS[0])
    file.write_bytes(b"half a res")
    age(file)
    Path(old.at("trials/.hidden")).mkdir()
    assert main(["index", "--workspace", old.path]) == 0
    said = capsys.readouterr().out
    assert said.startswith("5 results of 2 categories in ")
    assert f"left out: {file}" in said


def test_the_command_wants_a_workspace_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["index", "--workspace", str(tmp_path / "none")]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert main([]) == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["index", "--workspace", str(empty)]) == 0
    assert "0 results of 0 categories" in capsys.readouterr().out
    assert read(open_folder(empty)) == ({}, [])


def test_equal_parts_are_one_object_however_they_are_read(old: Folder) -> None:
    for _ in ("from files", "from the index"):
        found, _ = read(old)
        settings = {id(record.result["settings"]) for record in found.values()}
        assert len(settings) == 1
        rebuild_index(old)
