"""Faults of sweeps whose workspace, or everything, lies on an object store."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.faults.harness import REPOSITORY, Lines, Sweep, kill_now, one_done_one_under_way
from tests.faults.lab import Lab, Row
from tests.faults.store import Store, store

OUTAGE_S = 20.0


def failing_for_a_while(lab: Lab) -> Row:
    """The store of the workspace refuses connections for some seconds."""
    started = time.monotonic()
    with _on_store(lab) as (place, lines):
        sweep = Sweep(lines, "s3://bucket/while", "inline")
        process = sweep.start()
        before = one_done_one_under_way(sweep, process)
        place.stop()
        time.sleep(OUTAGE_S)
        place.start()
        sweep.end(process)
        done = f"S3 refused connections for {OUTAGE_S:.0f} s"
        return lab.row("storage failing for a while", done, sweep, before, started)


def gone(lab: Lab) -> Row:
    """The store goes until the sweep gives up, comes back, and the same command runs again."""
    started = time.monotonic()
    with _on_store(lab) as (place, lines):
        sweep = Sweep(lines, "s3://bucket/gone", "inline")
        process = sweep.start()
        before = one_done_one_under_way(sweep, process)
        place.stop()
        sweep.end(process)
        place.start()
        sweep.run()
        done = "S3 gone until the sweep ended, same command again"
        return lab.row("storage gone", done, sweep, before, started)


def everything_on_it(lab: Lab) -> Row:
    """Data, checkpoints, ledger and registry on S3, Ray; killed, resumed, verified."""
    started = time.monotonic()
    with _on_store(lab) as (place, lines):
        data = place.upload(Path(lab.lines.root), "lines")
        sweep = Sweep(replace(lines, root=data), "s3://bucket/all", "ray")
        process = sweep.start()
        before = one_done_one_under_way(sweep, process)
        kill_now(process)
        sweep.end(process)
        sweep.run()
        verified = _verify(sweep.workspace, lines.environment)
        done = f"driver SIGKILL, same command again; registry verify: exit {verified}"
        return lab.row("everything on S3", done, sweep, before, started)


def _verify(workspace: str, environment: Mapping[str, str]) -> int:
    command = [sys.executable, "-m", "orchestrator.registry", "verify", "--workspace", workspace]
    return subprocess.run(
        command, cwd=REPOSITORY, env=dict(environment), check=False, capture_output=True
    ).returncode


@contextmanager
def _on_store(lab: Lab) -> Iterator[tuple[Store, Lines]]:
    with store() as place:
        before = dict(os.environ)
        os.environ.update(place.environment)  # this process looks at the workspace too
        try:
            yield (
                place,
                replace(lab.lines, environment={**lab.lines.environment, **place.environment}),
            )
        finally:
            os.environ.clear()
            os.environ.update(before)
