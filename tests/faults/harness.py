"""A small sweep as a process of its own, and what its workspace says."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from memseg.storage import Folder, open_folder
from orchestrator.ledger.event_log import read_events

SWEEP = "faults"
REPOSITORY = Path(__file__).parents[2]
SMALL = (
    "--encoder_weights", "random", "--image.size", "64", "--memory.samples", "3",
    "--training.max_steps", "30", "--training.batch_size", "4", "--training.precision", "fp32",
    "--validation.held_out_least", "2", "--validation.held_out_most", "3",
    "--checkpoint_every_steps", "5", "--resources.threads", "1",
    "--data.categories", "[brushed_metal,connector]", "--grid.optimizer.lr", "[0.02,0.04]",
)  # fmt: skip
"""Four trials of seconds each."""
_PATIENCE_S = 600.0
_EARLY = 15
"""Steps, of 30."""


@dataclass(frozen=True)
class Lines:
    """Where the drawn product lines lie, and the environment that sweeps run in."""

    root: str
    environment: Mapping[str, str]


@dataclass
class Sweep:
    """One small sweep over ``lines`` into ``workspace``; started as often as needed."""

    lines: Lines
    workspace: str
    executor: str = "inline"
    more: Sequence[str] = ()
    exit_codes: list[int] = field(default_factory=list)
    output: list[str] = field(default_factory=list)

    def start(self) -> subprocess.Popen[str]:
        """Starts the command; its output is kept by ``end``."""
        command = [
            sys.executable, "-m", "orchestrator.sweep", "--config", "jobs/paper.yaml",
            "--name", SWEEP, "--data.root", self.lines.root, "--workspace", self.workspace,
            "--executor", self.executor, *SMALL, *self.more,
        ]  # fmt: skip
        return subprocess.Popen(
            command, cwd=REPOSITORY, env=dict(self.lines.environment), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def end(self, process: subprocess.Popen[str]) -> int:
        """Waits for the end; returns the exit code."""
        said, _ = process.communicate(timeout=_PATIENCE_S * 2)
        self.exit_codes.append(process.returncode)
        self.output.append(said)
        return process.returncode

    def run(self) -> int:
        """Starts it and waits for its end."""
        return self.end(self.start())

    @property
    def folder(self) -> Folder:
        """The workspace."""
        return open_folder(self.workspace)

    def results(self) -> dict[str, bytes]:
        """Trial key -> bytes of its result."""
        trials = self.folder.sub("trials")
        names = [f.path for f in trials.files(recursive=True) if f.path.endswith("/result.json")]
        return {name.split("/")[1]: trials.read(name) for name in names}

    def checkpoints(self) -> list[str]:
        """Paths below trials/ of the checkpoints that are there now."""
        files = self.folder.sub("trials").files(recursive=True)
        return [f.path for f in files if "/checkpoints/step-" in f.path and ".part" not in f.path]

    def auroc(self) -> bytes:
        """The table; raises StorageError where there is none."""
        return self.folder.read(f"sweeps/{SWEEP}/auroc.csv")

    def starts(self) -> dict[str, int]:
        """Trial key -> how often a run of the sweep started it, by the event log."""
        events = read_events(self.folder.sub(f"sweeps/{SWEEP}"))
        return Counter(str(e["trial"]) for e in events if e["event"] == "started")

    def failures(self) -> str:
        """The kinds of the failed attempts, counted: "worker_lost 1"."""
        events = self.folder.read(f"sweeps/{SWEEP}/failures.csv").decode().splitlines()[1:]
        kinds = [line.split(",")[3] for line in events]
        return ", ".join(f"{kind} {kinds.count(kind)}" for kind in sorted(set(kinds))) or "none"


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str], what: str) -> None:
    """Polls a condition of another process; raises AssertionError when it ends before that."""
    limit = time.monotonic() + _PATIENCE_S
    while not condition():
        if process.poll() is not None:
            raise AssertionError(f"the sweep ended before {what}: {process.communicate()[0]}")
        if time.monotonic() > limit:
            os.killpg(process.pid, signal.SIGKILL)
            said = process.communicate()[0]
            raise AssertionError(f"waited {_PATIENCE_S:.0f} s for {what}: {said}")
        time.sleep(0.1)


def one_done_one_under_way(sweep: Sweep, process: subprocess.Popen[str]) -> dict[str, bytes]:
    """Waits for a finished trial and an early checkpoint of another; returns the results then.

    Early: at a later one the trial might be done before the fault comes.
    """

    def is_early(path: str) -> bool:
        return int(path.rsplit("-", 1)[1].split(".")[0]) <= _EARLY

    def there() -> bool:
        return bool(sweep.results()) and any(map(is_early, sweep.checkpoints()))

    wait_until(there, process, "an early checkpoint beside a finished trial")
    return sweep.results()


def kill_now(process: subprocess.Popen[str]) -> None:
    """SIGKILL for the process alone: what it started has to notice by itself."""
    os.kill(process.pid, signal.SIGKILL)


def train_workers(below: int) -> list[psutil.Process]:
    """Ray Train's workers among the descendants of a process."""
    found = []
    for process in psutil.Process(below).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended since, or is a zombie
            if any("RayTrainWorker" in part for part in process.cmdline()):
                found.append(process)
    return found


def again(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[int, int]:
    """(finished trials that are lost, finished trials that were run again)."""
    lost = sum(key not in after for key in before)
    rerun = sum(
        key in after and json.loads(after[key])["started_at"] != json.loads(data)["started_at"]
        for key, data in before.items()
    )
    return lost, rerun
