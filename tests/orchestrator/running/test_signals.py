"""What a command does on SIGTERM, when Ray would do something else."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

import pytest

from orchestrator.commands import heed_signals
from orchestrator.running.ray_executor import sigterm_kept


@pytest.fixture(autouse=True)
def _signals_stay() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def like_rays(signum: int, frame: FrameType | None) -> None:
    sys.exit(1)


@pytest.mark.parametrize("fails", [False, True])
def test_sigterm_is_an_interruption_also_when_ray_is_there(fails: bool) -> None:
    heed_signals()
    try:
        with sigterm_kept():
            signal.signal(signal.SIGTERM, like_rays)
            if fails:
                raise ConnectionError
    except ConnectionError:
        assert fails
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_without_a_wish_of_its_own_rays_stays() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with sigterm_kept():
        signal.signal(signal.SIGTERM, like_rays)
    assert signal.getsignal(signal.SIGTERM) is like_rays
