import pickle

import pytest

from memseg.errors import (
    DataError,
    DeviceError,
    DivergedError,
    EmptyDataError,
    SettingError,
    StorageError,
    WeightsError,
)
from orchestrator.ledger.kinds import KINDS, OUT_OF_MEMORY, kind
from orchestrator.running.retries import decide, kind_of


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DataError("x"), "data"),
        (EmptyDataError("x"), "data"),
        (SettingError("x"), "configuration"),
        (WeightsError("x"), "configuration"),
        (DivergedError("x"), "configuration"),
        (DeviceError("x"), "device"),
        (StorageError("x"), "storage"),
        (MemoryError(), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "out_of_memory"),
        (type("DistNetworkError", (RuntimeError,), {})("x"), "worker_lost"),
        (type("DistBackendError", (RuntimeError,), {})("x"), "worker_lost"),
        (RuntimeError("Connection closed by peer [10.0.0.1]:2"), "worker_lost"),
        (type("ObjectStoreFullError", (Exception,), {})(), "storage"),
        (type("OutOfDiskError", (Exception,), {})(), "storage"),
        (ZeroDivisionError(), "bug"),
        (OSError(), "bug"),
    ],
)
def test_each_error_has_a_kind(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


def test_torchs_out_of_memory_is_one() -> None:
    import torch

    assert kind_of(torch.OutOfMemoryError()) == OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("kind", "again"),
    [
        ("data", 0),
        ("configuration", 0),
        ("device", 0),
        ("bug", 0),
        ("out_of_memory", 1),
        ("storage", 2),
        ("worker_lost", 5),
        ("node_lost", 20),
        ("preempted", 100),
    ],
)
def test_a_kind_is_tried_again_as_often_as_its_budget_says(kind: str, again: int) -> None:
    assert [decide((kind,) * n) for n in range(1, again + 3)] == [True] * again + [False] * 2


def test_a_kind_is_either_final_or_worth_the_same_command_again() -> None:
    assert {name for name, row in KINDS.items() if row.final} == {"data", "configuration"}
    assert not any(row.final and row.passing for row in KINDS.values())


def test_a_record_of_an_unknown_kind_is_tried_again_and_keeps_no_champion_from_waiting() -> None:
    unknown = kind("lost in an older version")
    assert (unknown.again, unknown.final, unknown.passing) == (0, False, True)


def test_budgets_do_not_mix() -> None:
    assert decide(("worker_lost",) * 5 + ("out_of_memory",) + ("storage",) * 2)
    assert not decide(("worker_lost",) * 5 + ("data",))


def test_errors_survive_pickling_between_processes() -> None:
    for error in (DataError("a"), DivergedError("b"), StorageError("c")):
        again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
        assert type(again) is type(error)
        assert str(again) == str(error)
