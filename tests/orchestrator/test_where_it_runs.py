"""This machine or a cluster: what is refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from memseg.errors import SettingError
from orchestrator.job.read import read_job
from orchestrator.sweeping import where_it_runs

NODES = ("--resources.autoscaled_nodes", "16", "--resources.autoscaled_cpus", "7")


def test_nodes_of_an_autoscaler_need_a_cluster_that_is_joined(tmp_path: Path) -> None:
    job = read_job(["--data.root", str(tmp_path), *NODES], {}, tmp_path)
    with pytest.raises(SettingError, match=r"autoscaled_nodes are nodes of a cluster.*set address"):
        where_it_runs(job, lambda capacity, flags: pytest.fail("it ran"))


def test_a_dry_run_of_such_a_job_asks_this_machine(tmp_path: Path) -> None:
    job = read_job(["--data.root", str(tmp_path), *NODES, "--dry_run", "true"], {}, tmp_path)
    assert where_it_runs(job, lambda capacity, flags: capacity.cpus) >= 1
