"""The Ray executor: one Tuner over the trials that the ledger does not have yet."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from memseg.errors import SettingError
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.trial import Trial
from orchestrator.running.events import Listener
from orchestrator.running.inputs import Sources
from orchestrator.running.trial_run import Placement

# Ray reads these when it is imported. They leave the terminal to this program.
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray  # noqa: E402
import ray.tune  # noqa: E402

from orchestrator.running.ray_callback import ListenerCallback  # noqa: E402
from orchestrator.running.ray_driver import DriverSetup, drive  # noqa: E402
from orchestrator.running.ray_inputs import InputLoader  # noqa: E402

HEAD = {"node:__internal_head__": 0.001}


@dataclass(frozen=True)
class RayResources:
    """What a trial takes, and how many run at once."""

    cpus: int
    gpus: float
    max_concurrent: int
    """0: as many as the cluster holds."""


def run_on_ray(
    trials: Sequence[Trial],
    sources: Sources,
    placement: Placement,
    ledger: Ledger,
    listener: Listener,
    resources: RayResources,
    sweep: str,
) -> None:
    """Runs the trials on the connected cluster; what became of each is in the ledger.

    Raises SettingError when no node can hold one trial.
    """
    at_once = _fitting(resources)
    loader = InputLoader.options(resources=HEAD).remote(sources)  # type: ignore[attr-defined]
    setup = DriverSetup(
        workspace=ledger.workspace,
        placement=placement,
        loader=loader,
        cpus=resources.cpus,
        gpus=resources.gpus,
        trials={trial.key: trial.to_json() for trial in trials},
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


def _fitting(resources: RayResources) -> int:
    """How many trials run at once: what the alive nodes hold, at most the setting."""
    per_node = [
        _holds(node["Resources"], resources) for node in ray.nodes() if node["Alive"]
    ]
    fitting = sum(per_node)
    if not fitting:
        largest = max((node["Resources"].get("CPU", 0) for node in ray.nodes()), default=0)
        raise SettingError(
            f"a trial needs {resources.cpus} CPUs and {resources.gpus} GPUs on one node, the "
            f"largest node of the cluster has {largest:.0f} CPUs: lower resources.threads or "
            "resources.gpus_per_trial"
        )
    return min(fitting, resources.max_concurrent or fitting)


def _holds(node: dict[str, float], resources: RayResources) -> int:
    holds = int(node.get("CPU", 0) // resources.cpus)
    if resources.gpus > 0:
        holds = min(holds, int(node.get("GPU", 0) / resources.gpus + 1e-9))
    return holds


@contextlib.contextmanager
def ray_session(address: str | None) -> Iterator[Any]:
    """A connection to a cluster, or a local Ray of its own that ends with the block.

    ``address`` None: RAY_ADDRESS where it is set (as inside a Ray job), else a local Ray. Its
    dashboard listens on loopback; without a dashboard a dead trial never frees its place.
    """
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
            address="local", include_dashboard=True, dashboard_host="127.0.0.1", **quiet
        )
    try:
        yield context
    finally:
        ray.shutdown()
