"""Each fault: what is done to a small sweep, and the rows' figures come from its workspace."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.faults import on_a_store
from tests.faults.harness import Sweep, kill_now, one_done_one_under_way, train_workers
from tests.faults.lab import Lab, Row


def worker_killed(lab: Lab) -> Row:
    """SIGKILL of a Ray Train worker."""
    started, sweep = time.monotonic(), lab.sweep("worker", "ray")
    process = sweep.start()
    before = one_done_one_under_way(sweep, process)
    for worker in train_workers(process.pid):
        worker.kill()
    sweep.end(process)
    return lab.row("worker SIGKILL", "each running worker, once", sweep, before, started)


def driver_killed(lab: Lab) -> Row:
    """SIGKILL of the process that runs the sweep, and the same command again."""
    started, sweep = time.monotonic(), lab.sweep("driver", "ray")
    process = sweep.start()
    before = one_done_one_under_way(sweep, process)
    kill_now(process)
    sweep.end(process)
    sweep.run()
    return lab.row("driver SIGKILL", "killed, same command again", sweep, before, started)


def node_removed(lab: Lab) -> Row:
    """A node of three goes while a trial trains on it."""
    started = time.monotonic()
    with _cluster() as cluster:
        sweep = lab.sweep("node", "ray", "--address", cluster.address)
        process = sweep.start()
        before = one_done_one_under_way(sweep, process)
        node = next(n for n in cluster.workers if train_workers(_raylet(n)))
        cluster.remove(node)
        sweep.end(process)
    return lab.row("node removed", "one of 3, with its worker", sweep, before, started)


def copy_lost(lab: Lab) -> Row:
    """The node goes that holds the only copies of decoded images, while others train."""
    started = time.monotonic()
    with _cluster() as cluster:
        sweep = lab.sweep("copy", "ray", "--address", cluster.address, "--resources.threads", "1",
                          "--resources.max_concurrent", "1")  # fmt: skip
        process = sweep.start()
        before = one_done_one_under_way(sweep, process)
        idle = [n for n in cluster.workers if not train_workers(_raylet(n))]
        for node in idle:
            cluster.remove(node)
        sweep.end(process)
    return lab.row("object store copy lost", "all nodes without a worker", sweep, before, started)


def checkpoint_corrupt(lab: Lab) -> Row:
    """The driver is killed, and half of the newest checkpoint is other bytes."""
    started, sweep = time.monotonic(), lab.sweep("corrupt", "inline")
    process = sweep.start()
    before = one_done_one_under_way(sweep, process)
    kill_now(process)
    sweep.end(process)
    for name in sweep.checkpoints():
        path = Path(sweep.workspace) / "trials" / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2 :] = os.urandom(len(data) - len(data) // 2)
        path.write_bytes(data)
    sweep.run()
    return lab.row("corrupt checkpoint", "second half random, then resumed", sweep, before, started)


def two_at_once(lab: Lab) -> Row:
    """The same command twice at the same time."""
    started, sweep = time.monotonic(), lab.sweep("two", "inline")
    one, two = sweep.start(), sweep.start()
    sweep.end(one)
    before = sweep.results()
    sweep.end(two)
    row = lab.row("two sweeps at once", "same command twice", sweep, before, started)
    starts = sum(sweep.starts().values())
    twice = starts - len(sweep.results())
    return replace(row, done=f"{row.done}; trials started twice: {twice}")


def disk_full(lab: Lab) -> Row:
    """A small file system fills up; room is made, and the same command runs again."""
    started = time.monotonic()
    with _small_disk(lab.folder / "disk") as disk:
        sweep = Sweep(lab.lines, str(disk / "ws"), "inline")
        process = sweep.start()
        before = one_done_one_under_way(sweep, process)
        ballast = disk / "ballast"
        _fill(ballast)
        sweep.end(process)
        ballast.unlink()
        sweep.run()
        return lab.row("disk full", "filled, emptied, same command again", sweep, before, started)


SCENARIOS: Mapping[str, Callable[[Lab], Row]] = {
    "worker": worker_killed,
    "node": node_removed,
    "driver": driver_killed,
    "copy": copy_lost,
    "while": on_a_store.failing_for_a_while,
    "gone": on_a_store.gone,
    "disk": disk_full,
    "checkpoint": checkpoint_corrupt,
    "two": two_at_once,
    "s3": on_a_store.everything_on_it,
}


def _fill(path: Path) -> None:
    with path.open("wb") as stream:
        try:
            while True:
                stream.write(bytes(1 << 20))
                stream.flush()
        except OSError:
            return


@contextmanager
def _small_disk(place: Path) -> Iterator[Path]:
    """A tmpfs of 1 GiB; needs the right to mount."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


class _Cluster:
    """Three nodes on this machine: a head without CPUs for work, two workers with one each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self._cluster = Cluster(
            initialize_head=True,
            # At the machine's own address: a driver that is given 127.0.0.1 asks that one anyway.
            head_node_args={"num_cpus": 0, "dashboard_host": "127.0.0.1",
                            "include_dashboard": True},
        )  # fmt: skip
        self.workers = [self._cluster.add_node(num_cpus=1) for _ in range(2)]
        self.address: str = self._cluster.address

    def remove(self, node: object) -> None:
        """The node dies without a word; another takes its place."""
        self._cluster.remove_node(node, allow_graceful=False)
        self.workers.remove(node)
        self.workers.append(self._cluster.add_node(num_cpus=1))

    def end(self) -> None:
        self._cluster.shutdown()


@contextmanager
def _cluster() -> Iterator[_Cluster]:
    cluster = _Cluster()
    try:
        yield cluster
    finally:
        cluster.end()


def _raylet(node: object) -> int:
    from ray._private.ray_constants import PROCESS_TYPE_RAYLET

    return int(node.all_processes[PROCESS_TYPE_RAYLET][0].process.pid)  # type: ignore[attr-defined]
