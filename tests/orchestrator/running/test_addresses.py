"""What names a machine leaves a text; what only looks like it stays."""

from __future__ import annotations

import pytest

from memseg.config import MethodConfig
from memseg.errors import DataError
from orchestrator.planning.trial import Inputs, Trial
from orchestrator.running.addresses import without_addresses
from orchestrator.running.failures import failure


@pytest.mark.parametrize(
    "address",
    ["10.128.0.5", "10.128.0.5:6379", "ip-10-0-0-1.ec2.internal", "ip-10-0-0-1",
     "fe80:0:0:0:204:61ff:fe9d:f156", "fe80::204:61ff:fe9d:f156", "2001:db8::1"],
)  # fmt: skip
def test_an_address_is_hidden(address: str) -> None:
    assert without_addresses(f"node {address}, dead") == "node (address), dead"


@pytest.mark.parametrize(
    "text", ["at 12:30:11", "2026-11-27T17:25:13", "std::bad_alloc", "torch::autograd",
             "ray 2.60.0", "a mask of 3:4", "shape [8, 3]", "abc::def"],
)  # fmt: skip
def test_what_is_no_address_stays(text: str) -> None:
    assert without_addresses(text) == text


def test_a_failure_in_a_task_of_ray_says_no_address() -> None:
    trial = Trial("part", 0, MethodConfig(), Inputs("a", "b", "c", "d"))
    error = RuntimeError("task failed (pid=4242, ip=10.128.0.5)")
    found = failure(trial, "bug", error, 1)
    assert "10.128" not in found["message"] + found["traceback"]
    assert found["message"] == "task failed (pid=4242, ip=(address))"


def test_the_name_of_an_image_is_never_taken_for_an_address() -> None:
    trial = Trial("part", 0, MethodConfig(), Inputs("a", "b", "c", "d"))
    message = "screw/train/good/12.30.45.123.png: is cut off"
    assert failure(trial, "data", DataError(message), 1)["message"] == message
