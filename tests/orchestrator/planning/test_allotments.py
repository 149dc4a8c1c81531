"""How many trials run at once, and what the machine has."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.errors import SettingError
from orchestrator.job.settings import ResourcesConfig
from orchestrator.planning.allotment import allot, controller_gib
from orchestrator.planning.hardware import Capacity, resolve_device, this_machine


@pytest.mark.parametrize(
    ("resources", "device", "capacity", "at_once", "limited_by"),
    [
        ({}, "cpu", Capacity(2, 0, 64), 2, "CPUs"),
        ({"threads": 2}, "cpu", Capacity(2, 0, 64), 1, "CPUs"),
        ({"threads": 2, "cpus_per_trial": 3}, "cpu", Capacity(8, 0, 64), 2, "CPUs"),
        ({}, "cpu", Capacity(64, 0, 1000), 9, "trials"),
        ({"max_concurrent": 3}, "cpu", Capacity(64, 0, 1000), 3, "resources.max_concurrent"),
        ({}, "cpu", Capacity(64, 0, 20), 4, "memory"),
        ({}, "cpu", Capacity(64, 0, 1), 1, "memory"),
        # On a cluster the head has controllers only; what trains is on other machines.
        ({}, "cpu", Capacity(64, 0, 6, trains_elsewhere=True), 5, "memory"),
        ({"workers_per_trial": 2}, "cpu", Capacity(6, 0, 1000), 3, "CPUs"),
        ({"workers_per_trial": 2}, "cpu", Capacity(64, 0, 20), 2, "memory"),
        ({"workers_per_trial": 2}, "cuda", Capacity(64, 5, 1000), 2, "GPUs"),
        ({}, "cuda", Capacity(64, 2, 1000), 2, "GPUs"),
        ({"gpus_per_trial": 0.3}, "cuda", Capacity(64, 2, 1000), 6, "GPUs"),
    ],
)
def test_the_scarcest_resource_decides(
    resources: dict[str, float], device: str, capacity: Capacity, at_once: int, limited_by: str
) -> None:
    settings_ = ResourcesConfig(**resources)  # type: ignore[arg-type]
    found = allot(settings_, "ray", device, capacity, trials=9, trial_gib=2.8)
    assert (found.at_once, found.limited_by) == (at_once, limited_by)


def test_inline_is_one_after_the_other() -> None:
    found = allot(ResourcesConfig(threads=4), "inline", "cpu", Capacity(2, 0, 1), 9, 4.0)
    assert (found.at_once, found.threads) == (1, 4)


def test_a_trial_that_does_not_fit_is_refused_because_it_would_wait_for_ever() -> None:
    with pytest.raises(SettingError, match=r"needs 4 CPUs, there are 2: .*resources\.threads"):
        allot(ResourcesConfig(threads=4), "ray", "cpu", Capacity(2, 0, 64), 1, 1.0)
    two = ResourcesConfig(threads=2, workers_per_trial=2)
    with pytest.raises(SettingError, match="of 2 workers needs 4 CPUs, there are 3"):
        allot(two, "ray", "cpu", Capacity(3, 0, 64), 1, 1.0)
    with pytest.raises(SettingError, match="of 2 workers needs 2 GPUs, there are 1"):
        allot(two, "ray", "cuda", Capacity(8, 1, 64), 1, 1.0)
    with pytest.raises(SettingError, match=r"a head only.*resources\.autoscaled_nodes"):
        allot(ResourcesConfig(), "ray", "cuda", Capacity(0, 0, 64), 1, 1.0)
    with pytest.raises(SettingError, match="no GPU"):
        allot(ResourcesConfig(), "ray", "cuda", Capacity(2, 0, 64), 1, 1.0)


@settings(max_examples=30, deadline=None)
@given(
    threads=st.integers(1, 8),
    cpus=st.integers(8, 256),
    memory=st.floats(8, 2000),
    trials=st.integers(1, 3000),
    trial_gib=st.floats(0.5, 6),
)
def test_all_trials_at_once_fit(
    threads: int, cpus: int, memory: float, trials: int, trial_gib: float
) -> None:
    capacity = Capacity(cpus, 0, memory)
    found = allot(ResourcesConfig(threads=threads), "ray", "cpu", capacity, trials, trial_gib)
    assert 1 <= found.at_once <= trials
    assert found.at_once * threads <= cpus
    assert found.at_once == 1 or found.at_once * (trial_gib + controller_gib(1)) <= memory


def test_a_containers_limits_count(tmp_path: Path) -> None:
    group = tmp_path / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "cpu.max").write_text("100000 100000\n")
    (group / "memory.max").write_text(f"{2**30}\n")
    found = this_machine({}, tmp_path)
    assert (found.cpus, found.memory_gib, found.gpus) == (1, 1.0, 0)
    (group / "cpu.max").write_text("max 100000\n")
    (group / "memory.max").write_text("max\n")
    unlimited = this_machine({}, tmp_path)
    assert unlimited == this_machine({}, tmp_path / "none")


def test_gpus_are_counted_as_far_as_they_are_visible(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / "dev" / name).touch()
    for visible, count in ((None, 2), ("", 0), ("-1", 0), ("1", 1), ("0,1", 2)):
        environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
        assert this_machine(environ, tmp_path).gpus == count


def test_auto_is_the_gpu_where_there_is_one() -> None:
    assert (resolve_device("auto", 1), resolve_device("auto", 0)) == ("cuda", "cpu")
    assert resolve_device("cpu", 1) == "cpu"
