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
from orchestrator.running.retries import BUDGET, LOST, OUT_OF_MEMORY, decide, kind_of


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
        (ZeroDivisionError(), "bug"),
        (OSError(), "bug"),
    ],
)
def test_each_error_has_a_kind(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


def test_torchs_out_of_memory_is_one() -> None:
    import torch

    assert kind_of(torch.OutOfMemoryError()) == OUT_OF_MEMORY


def test_every_kind_has_a_finite_budget_of_its_own() -> None:
    for kind, budget in BUDGET.items():
        assert budget < 10
        for attempts in range(1, budget + 1):
            assert decide((kind,) * attempts).again
        assert not decide((kind,) * (budget + 1)).again
    mixed = (LOST,) * BUDGET[LOST] + (OUT_OF_MEMORY,)
    assert decide(mixed).again
    assert decide(mixed).attempts == len(mixed)


def test_errors_survive_pickling_between_processes() -> None:
    for error in (DataError("a"), DivergedError("b"), StorageError("c")):
        again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
        assert type(again) is type(error)
        assert str(again) == str(error)
