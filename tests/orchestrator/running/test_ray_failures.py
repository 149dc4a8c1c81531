"""What Ray raises, as kinds: built as Ray builds them, no cluster needed."""

from __future__ import annotations

import pytest

pytest.importorskip("ray")

from ray.exceptions import (
    ActorDiedError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    OwnerDiedError,
    WorkerCrashedError,
)
from ray.train.v2._internal.exceptions import (
    WorkerGroupStartupTimeoutError,
    WorkerHealthCheckFailedError,
)
from ray.train.v2.api.exceptions import ControllerError, WorkerGroupError

from memseg.errors import BlindNodeError, StoppedError, StorageError
from orchestrator.commands import STOPPED, consoles, explained
from orchestrator.running.ray_failures import in_words, kind_of_ray, message_of_ray
from orchestrator.running.retries import kind_of


def died(message: str, *, preempted: bool = False) -> ActorDiedError:
    error = ActorDiedError()
    error.error_msg, error._preempted = message, preempted
    error.args = (message,)
    return error


def of_a_worker(*causes: Exception) -> WorkerGroupError:
    wrapped = {
        rank: WorkerHealthCheckFailedError("worker is unhealthy", cause)
        for rank, cause in enumerate(causes)
    }
    return WorkerGroupError("a worker failed", wrapped)


# Ray 2.60's own words for a worker that got SIGKILL.
PROCESS = died(
    "The actor died unexpectedly before finishing this task.\n\tclass_name: "
    "RayTrainWorker\n\tip: 10.0.3.17\nThe actor is dead because its worker process has died. "
    "Worker exit type: SYSTEM_ERROR Worker exit detail: Worker unexpectedly exits with a "
    "connection error code 2. End of file. Some common causes include: (1) the process was "
    "killed by the OOM killer due to high memory usage, (2) ray stop --force was called, "
    "or (3) the worker crashed unexpectedly due to SIGSEGV or another unexpected error. If "
    "the process was killed by the kernel OOM killer (verifiable by checking for OOM in "
    "dmesg of the OOMing node), consider enabling resource isolation via "
    "--enable-resource-isolation to prevent node deaths by resource contention and "
    "significant loss of progress by uninformed kernel OOM killing."
)
NODE = died("The actor died because its node has died. Node Id: 12ab")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (of_a_worker(PROCESS), "worker_lost"),
        (WorkerCrashedError(), "worker_lost"),
        (of_a_worker(NODE), "node_lost"),
        (of_a_worker(PROCESS, NODE), "node_lost"),
        (of_a_worker(NodeDiedError("gone")), "node_lost"),
        (ObjectLostError("12", None, ""), "node_lost"),
        (of_a_worker(NODE, died("reclaimed", preempted=True)), "preempted"),
        (of_a_worker(OutOfMemoryError("killed by the memory monitor")), "out_of_memory"),
        (ControllerError(NODE), "node_lost"),
        (ControllerError(WorkerGroupStartupTimeoutError(1)), "no_place"),
        (RuntimeError("something else"), "worker_lost"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_ray_raises_has_a_kind(error: Exception, kind: str) -> None:
    assert kind_of_ray(error) == kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ObjectLostError("12", None, ""), "node_lost"),
        (OwnerDiedError("12", None, ""), "node_lost"),
        (OutOfMemoryError("x"), "out_of_memory"),
    ],
)
def test_what_a_worker_meets_when_it_fetches_its_inputs_has_a_kind_too(
    error: Exception, kind: str
) -> None:
    assert kind_of(error) == kind


def test_a_message_names_no_address_and_no_process() -> None:
    error = died("The actor died.\n\tpid: 4711\n\tip: 10.0.3.17\nSocket 10.0.3.17:6379 closed.")
    assert message_of_ray(error) == "The actor died. Socket (address) closed."


def test_a_message_is_of_the_worker_that_died_and_without_advice() -> None:
    text = message_of_ray(of_a_worker(PROCESS))
    assert text.startswith("The actor died unexpectedly")
    assert "worker process has died" in text
    assert "common causes" not in text
    assert "unhealthy" not in text


def test_a_sweep_that_ray_ended_goes_on_later_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work() -> int:
        with in_words("Ray has ended the sweep", StoppedError):
            raise RuntimeError("GCS at 10.0.3.17:6379 is gone")

    assert explained(work, consoles()[1]) == STOPPED == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "Ray has ended the sweep: GCS at (address) is gone" in said
    assert "the same command goes on from here" in said


def test_an_error_of_our_own_in_a_worker_is_told_as_it_is() -> None:
    blind = BlindNodeError("a node does not see the workspace /mnt/10.0.0.7/ws: mount it")
    error = WorkerGroupError("a trace\nof many lines", {0: blind})
    assert kind_of_ray(error) == "blind_node"
    assert kind_of_ray(WorkerGroupError("a trace", {0: StorageError("gone")})) == "storage"
    assert message_of_ray(error) == str(blind)
