"""The kinds of failure, and what follows from each: one table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What a failure of this kind means for its trial."""

    again: int
    """How often the trial is tried *again* within one sweep."""
    final: bool
    """It comes again as long as nothing changes, so that later sweeps do not try either. A
    trial's key holds the contents of its images, textures and weights and all of its settings:
    what is mended has another key."""
    passing: bool
    """It says nothing about the trial: the same command again may do."""
    advice: str
    """What to do when the tries are used up, for people."""


DATA, CONFIGURATION, DEVICE, BUG = "data", "configuration", "device", "bug"
WORKER_LOST, NODE_LOST, PREEMPTED = "worker_lost", "node_lost", "preempted"
NO_PLACE, BLIND_NODE = "no_place", "blind_node"
OUT_OF_MEMORY, STORAGE = "out_of_memory", "storage"

KINDS: Mapping[str, Kind] = {
    DATA: Kind(0, True, False, "mend the images that the message names"),
    CONFIGURATION: Kind(0, True, False, "change the settings that the message names"),
    DEVICE: Kind(0, False, True, "the device was not there; run the same command where it is"),
    BUG: Kind(0, False, False, "a defect of the program: its traceback is in failure.json"),
    # A worker that is killed again and again is killed by something: a memory limit of its
    # container, a crash in a library.
    WORKER_LOST: Kind(5, False, True, "something kills its process: see the node's log and memory"),
    # Machines come and go, and take their trials with them: nothing is wrong with these.
    NODE_LOST: Kind(20, False, True, "its nodes went away; run the same command again"),
    PREEMPTED: Kind(100, False, True, "its nodes were taken back; run the same command again"),
    # Three hours of waiting each: others were before it, or the autoscaler's quota is small.
    NO_PLACE: Kind(20, False, True, "no node had room for it: free some, or allow more nodes"),
    # Others may have room for it the next time.
    BLIND_NODE: Kind(20, False, True, "a node lacks the workspace: mount it there, or remove it"),
    # The second try evaluates image by image; a third would be the second again.
    OUT_OF_MEMORY: Kind(
        1, False, True, "give a trial more memory, or lower training.batch_size or image.size"
    ),
    # Beside the waits of the storage itself.
    STORAGE: Kind(2, False, True, "see that data and workspace can be reached, and run it again"),
}

UNKNOWN = Kind(0, False, True, "run the same command again")
"""Of a record that another version of the program wrote."""


def kind(name: object) -> Kind:
    """What follows from a failure, by the name that its record has."""
    return KINDS.get(str(name), UNKNOWN)
