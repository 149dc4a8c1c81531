"""What Ray says of a training run that it ended, as a kind of failure and a message."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import ray.tune
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
)
from ray.train.v2.api.exceptions import ControllerError, PreemptionError, WorkerGroupError

from memseg.errors import BlindNodeError, MemSegError, StorageError
from orchestrator.ledger import kinds
from orchestrator.running.addresses import without_addresses

_NODE_DIED = re.compile(r"\bnode\b.{0,80}\b(died|dead|death|terminated|removed)", re.I | re.S)
_HIDDEN = ("ip:", "pid:", "actor_id:", "class_name:", "namespace:", "name:")
_ADVICE = "Some common causes include"
"""What follows is the same for every lost process, and names node deaths among others."""
_LONGEST = 500
_OF_RAY = (RayError, ray.tune.TuneError, OSError, RuntimeError, ValueError)


def kind_of_ray(error: BaseException) -> str:
    """The failure kind of what a trainer's ``fit`` or ``ray.get`` raised.

    With several causes the one that says most about the cluster counts: when one worker dies,
    the others fail because of it.
    """
    causes = list(_causes(error))
    if any(isinstance(c, PreemptionError) or getattr(c, "preempted", False) for c in causes):
        return kinds.PREEMPTED
    if any(isinstance(cause, OutOfMemoryError) for cause in causes):
        return kinds.OUT_OF_MEMORY
    if any(isinstance(cause, BlindNodeError) for cause in causes):
        return kinds.BLIND_NODE
    if any(isinstance(cause, StorageError) for cause in causes):
        return kinds.STORAGE
    # By name: the class is internal, and only a controller raises it.
    if any(type(cause).__name__ == "WorkerGroupStartupTimeoutError" for cause in causes):
        return kinds.NO_PLACE
    if any(isinstance(cause, (NodeDiedError, ObjectLostError)) for cause in causes):
        return kinds.NODE_LOST
    # An actor's death says in words only that it was its node's.
    actors = [cause for cause in causes if isinstance(cause, RayActorError)]
    if any(_NODE_DIED.search(_without_advice(actor)) for actor in actors):
        return kinds.NODE_LOST
    return kinds.WORKER_LOST


def message_of_ray(error: BaseException) -> str:
    """The first lines that say something, without addresses and process numbers.

    Of the actor that died where there is one: what Ray Train says names none of the reasons. What
    is our own is said as it is.
    """
    ours = [cause for cause in _causes(error) if isinstance(cause, MemSegError)]
    if ours:
        return str(ours[0])
    actors = [cause for cause in _causes(error) if isinstance(cause, RayActorError)]
    lines = (line.strip() for line in _without_advice(actors[-1] if actors else error).splitlines())
    telling = [line for line in lines if line and not line.startswith(_HIDDEN)]
    return without_addresses(" ".join(telling[:4]))[:_LONGEST]


@contextlib.contextmanager
def in_words(what: str, kind: type[MemSegError]) -> Iterator[None]:
    """Ray's own failures as an error of ``kind``; a stack trace helps nobody at night."""
    try:
        yield
    except _OF_RAY as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        said = without_addresses(" ".join(lines[:3] + lines[-1:]))
        raise kind(f"{what}: {said[:800]}") from error


def _without_advice(error: BaseException) -> str:
    return str(error).partition(_ADVICE)[0]


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    inner: list[object] = []
    if isinstance(error, WorkerGroupError):
        inner += error.worker_failures.values()
    if isinstance(error, ControllerError):
        inner.append(error.controller_failure)
    inner += [getattr(error, "health_check_failure", None), getattr(error, "cause", None)]
    for cause in inner:
        if isinstance(cause, BaseException):
            yield from _causes(cause)
