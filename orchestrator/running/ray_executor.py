"""The Ray executor: one Tuner over the trials that the ledger does not have yet."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from memseg.errors import SettingError
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.allotment import Allotment
from orchestrator.planning.trial import Trial
from orchestrator.running.events import Listener
from orchestrator.running.inputs import Sources
from orchestrator.running.trial_run import Placement

# Ray reads these when it is imported. They leave the terminal to this program.
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# On few cores Ray warns of each worker that it starts beyond four times the cores: a driver, a
# controller and a trainer a trial are always more.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "worker processes have been started on node")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray
import ray.tune

from orchestrator.running.ray_callback import ListenerCallback
from orchestrator.running.ray_driver import DriverSetup, drive
from orchestrator.running.ray_inputs import InputLoader
from orchestrator.running.ray_nodes import check_workspace_on_nodes

HEAD = {"node:__internal_head__": 0.001}


def run_on_ray(
    trials: Sequence[Trial],
    sources: Sources,
    placement: Placement,
    ledger: Ledger,
    listener: Listener,
    allotment: Allotment,
    most_at_once: int,
    sweep: str,
) -> None:
    """Runs the trials on the connected cluster; what became of each is in the ledger.

    ``most_at_once``: 0 for as many as the cluster holds (and the head's memory, on one node).
    Raises SettingError when no node can hold one trial.
    """
    at_once = _fitting(allotment, most_at_once)
    check_workspace_on_nodes(ledger.workspace)
    loader = InputLoader.options(resources=HEAD).remote(sources)  # type: ignore[attr-defined]
    setup = DriverSetup(
        workspace=ledger.workspace,
        placement=placement,
        loader=loader,
        cpus=allotment.cpus,
        gpus=allotment.gpus,
        trials={trial.key: trial.to_json() for trial in trials},
        donors=ledger.trained(trials),
    )
    by_key = {trial.key: trial for trial in trials}
    driver = ray.tune.with_resources(
        ray.tune.with_parameters(drive, setup=setup), {"CPU": 0, **HEAD}
    )
    tuner = ray.tune.Tuner(
        driver,
        param_space={"key": ray.tune.grid_search(list(by_key))},
        tune_config=ray.tune.TuneConfig(
            max_concurrent_trials=at_once,
            trial_name_creator=lambda trial: by_key[trial.config["key"]].name,
            trial_dirname_creator=lambda trial: by_key[trial.config["key"]].name,
        ),
        run_config=ray.tune.RunConfig(
            name=sweep,
            storage_path=ledger.workspace.at("ray/tune"),
            storage_filesystem=ledger.workspace.filesystem,
            callbacks=[ListenerCallback(by_key, ledger, listener, loader)],
            # A driver that dies with its process starts again and reads the ledger.
            failure_config=ray.tune.FailureConfig(max_failures=2),
            verbose=0,
        ),
    )
    tuner.fit()


def _fitting(allotment: Allotment, most: int) -> int:
    """How many trials run at once: what the alive nodes hold, at most the setting.

    On a single node the planner's figure counts too: it knows the node's memory.
    """
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    fitting = sum(_holds(node, allotment) for node in alive)
    if not fitting:
        cpus = max((node.get("CPU", 0) for node in alive), default=0)
        gpus = max((node.get("GPU", 0) for node in alive), default=0)
        raise SettingError(
            f"a trial needs {allotment.cpus} CPUs and {allotment.gpus:g} GPUs on one node; the "
            f"largest node of the cluster has {cpus:g} CPUs, {gpus:g} GPUs: lower "
            "resources.threads or resources.gpus_per_trial"
        )
    if len(alive) == 1:
        fitting = min(fitting, allotment.at_once)
    return min(fitting, most or fitting)


def _holds(node: Mapping[str, float], allotment: Allotment) -> int:
    holds = int(node.get("CPU", 0) // allotment.cpus)
    if allotment.gpus > 0:
        holds = min(holds, int(node.get("GPU", 0) / allotment.gpus + 1e-9))
    return holds


@contextlib.contextmanager
def ray_session(address: str | None) -> Iterator[Any]:
    """A connection to a cluster, or a local Ray of its own that ends with the block.

    ``address`` None: RAY_ADDRESS where it is set (as inside a Ray job), else a local Ray. Its
    dashboard listens on loopback; without a dashboard a dead trial never frees its place.
    A process that is connected already stays connected afterwards.
    """
    if ray.is_initialized():
        yield ray.get_runtime_context()
        return
    where = address or os.environ.get("RAY_ADDRESS")
    quiet: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "configure_logging": True,
    }
    if where:
        try:
            context = ray.init(address=where, **quiet)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise SettingError(f"no Ray cluster answers at the given address: {error}") from error
    else:
        context = ray.init(
            address="local",
            include_dashboard=True,
            dashboard_host="127.0.0.1",
            _node_ip_address="127.0.0.1",
            **quiet,
        )
    try:
        yield context
    finally:
        ray.shutdown()
