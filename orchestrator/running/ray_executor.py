"""The Ray executor: one Tuner over the trials that the ledger does not have yet."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from memseg.errors import SettingError, StoppedError, StorageError
from orchestrator.job.settings import ResourcesConfig
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.allotment import USABLE_MEMORY, Allotment, controller_gib
from orchestrator.planning.trial import Trial
from orchestrator.running.events import Listener
from orchestrator.running.placement import Placement
from orchestrator.running.pruning import Rivals
from orchestrator.running.sources import Sources

# Ray reads these when it is imported. They leave the terminal to this program.
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("TUNE_PRINT_ALL_TRIAL_ERRORS", "0")
# Tune's own handler turns the first Ctrl-C into a search that looks finished.
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# On few cores Ray warns of each worker that it starts beyond four times the cores: a driver, a
# controller and a trainer a trial are always more.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "worker processes have been started on node")
# A driver takes no GPU, and yet must not lose sight of them for its trainer.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray
import ray.tune

from orchestrator.running.cluster_shape import ClusterShape
from orchestrator.running.ray_callback import EndsWithStorage, ListenerCallback
from orchestrator.running.ray_capacity import cluster_shape
from orchestrator.running.ray_driver import DriverSetup, drive
from orchestrator.running.ray_failures import in_words
from orchestrator.running.ray_inputs import InputLoader
from orchestrator.running.ray_nodes import seen_by_all_nodes
from orchestrator.running.storages import StorageCheck

HEAD = {"node:__internal_head__": 0.001}


def run_on_ray(
    trials: Sequence[Trial],
    sources: Sources,
    placement: Placement,
    ledger: Ledger,
    listener: Listener,
    allotment: Allotment,
    resources: ResourcesConfig,
    sweep: str,
    run: str,
    rivals: Rivals,
) -> None:
    """Runs the trials on the connected cluster; what became of each is in the ledger.

    As many at once as the cluster holds, and the head's memory, and ``resources`` admit.
    ``run``: name of this run of the sweep, the owner of its claims. Raises SettingError when no
    node can hold one trial, StorageError where a node does not see the workspace, StorageDownError
    where it is gone or full, or the data are gone, StoppedError.
    """
    shape = cluster_shape(resources)
    at_once = _fitting(shape, allotment, resources)
    with seen_by_all_nodes(ledger.workspace, run) as marker:
        loader = InputLoader.options(  # type: ignore[attr-defined]
            resources=HEAD, max_restarts=-1, max_task_retries=-1
        ).remote(sources)
        setup = DriverSetup(
            workspace=ledger.workspace,
            placement=placement,
            loader=loader,
            run=run,
            marker=marker,
            rivals=rivals,
            workers=allotment.workers,
            cpus=allotment.cpus,
            gpus=allotment.gpus,
            memory=shape.memory_to_reserve(allotment),
            trials={trial.key: trial.to_json() for trial in trials},
            donors=ledger.trained(trials),
        )
        by_key = {trial.key: trial for trial in trials}
        driver = ray.tune.with_resources(
            ray.tune.with_parameters(drive, setup=setup), {"CPU": 0, **HEAD}
        )
        callback = ListenerCallback(
            by_key, ledger, listener, loader, StorageCheck(ledger, sources, marker=marker)
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
                storage_path=ledger.workspace.sub("ray/tune").location,
                callbacks=[callback],
                stop=EndsWithStorage(callback),
                # A driver that dies with its process starts again and reads the ledger.
                failure_config=ray.tune.FailureConfig(max_failures=2),
                verbose=0,
            ),
        )
        try:
            with in_words("Ray has ended the sweep", StoppedError):
                tuner.fit()
        except StoppedError:
            if callback.down is None:
                raise
    if callback.down is not None:
        raise callback.down


def _fitting(shape: ClusterShape, allotment: Allotment, resources: ResourcesConfig) -> int:
    """How many trials run at once: what the nodes hold that are there or may be started.

    At most the setting. On a single node the planner's figure counts too: it knows the node's
    memory.
    """
    fitting = shape.holds(allotment) // allotment.workers
    if not fitting:
        may = " or may get" if shape.groups else ""
        raise SettingError(
            f"a trial needs {allotment.workers} workers with {allotment.cpus} CPUs and "
            f"{allotment.gpus:g} GPUs each, a worker on one node; the largest node that the "
            f"cluster has{may} has {shape.largest('CPU'):g} CPUs, {shape.largest('GPU'):g} GPUs: "
            "lower resources.threads, gpus_per_trial or workers_per_trial, or name the nodes that "
            "an autoscaler would start: resources.autoscaled_nodes"
        )
    if not shape.has_others:
        fitting = min(fitting, allotment.at_once)
    on_head = _controllers_on_head(shape, allotment.workers)
    return min(fitting, on_head, resources.max_concurrent or fitting)


def _controllers_on_head(shape: ClusterShape, workers: int) -> int:
    """All controllers live on the head: what its memory holds of them, at least one."""
    return max(1, int(USABLE_MEMORY * shape.head_memory_gib / controller_gib(workers)))


@contextlib.contextmanager
def ray_session(address: str | None) -> Iterator[None]:
    """A connection to a cluster, or a local Ray of its own that ends with the block.

    ``address`` None: RAY_ADDRESS where it is set (as inside a Ray job), else a local Ray. Its
    dashboard listens on loopback; without a dashboard a dead trial never frees its place.
    A process that is connected already stays connected afterwards.
    """
    if ray.is_initialized():
        yield
        return
    where = address or os.environ.get("RAY_ADDRESS")
    quiet: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "configure_logging": True,
    }
    with sigterm_kept():
        _connect(where, quiet)
    try:
        yield
    finally:
        ray.shutdown()


def _connect(where: str | None, quiet: dict[str, Any]) -> None:
    if where:
        with in_words("no Ray cluster answers at the given address", StorageError):
            ray.init(address=where, **quiet)
    else:
        what = "a local Ray could not be started (--executor inline needs none)"
        with in_words(what, StorageError):
            ray.init(
                address="local",
                include_dashboard=True,
                dashboard_host="127.0.0.1",
                _node_ip_address="127.0.0.1",
                **quiet,
            )


@contextlib.contextmanager
def sigterm_kept() -> Iterator[None]:
    """Puts back what the command does on SIGTERM, where it does something of its own.

    ``ray.init`` replaces it by an end in the middle of things, with the traces of what it kills.
    """
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(before) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
