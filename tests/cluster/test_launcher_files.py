"""Ray's launcher files against Ray's own validator, and no secret in any file of the cluster."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import ValidationError
from ray.autoscaler._private.util import prepare_config, validate_config

CLUSTER = Path(__file__).parents[2] / "cluster"
LAUNCHERS = ("on-premises.yaml", "aws.yaml")


def launcher(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((CLUSTER / name).read_text()))


def check(config: dict[str, Any]) -> dict[str, Any]:
    prepared = prepare_config(config)
    validate_config(prepared)
    return dict(prepared)


@pytest.mark.parametrize("name", LAUNCHERS)
def test_a_launcher_file_is_what_ray_takes(name: str) -> None:
    check(launcher(name))


@pytest.mark.parametrize("name", LAUNCHERS)
@pytest.mark.parametrize("place", [(), ("auth",), ("docker",)], ids=str)
def test_a_wrong_key_is_refused(name: str, place: tuple[str, ...]) -> None:
    """Below provider and node_config Ray takes any key: those it leaves to the cloud."""
    broken = copy.deepcopy(launcher(name))
    inner = broken
    for key in place:
        inner = inner[key]
    inner["max_wokers"] = 1
    with pytest.raises(ValidationError, match="max_wokers"):
        check(broken)


def test_a_wrong_key_of_a_node_type_is_refused() -> None:
    broken = launcher("aws.yaml")
    broken["available_node_types"]["gpu"]["min_wokers"] = 0
    with pytest.raises(ValidationError, match="min_wokers"):
        check(broken)


def test_aws_starts_gpu_nodes_from_zero_and_some_are_spot() -> None:
    types = check(launcher("aws.yaml"))["available_node_types"]
    assert types["head"]["resources"]["CPU"] == 0
    gpus = {name: row for name, row in types.items() if row["resources"].get("GPU")}
    assert all(row["min_workers"] == 0 < row["max_workers"] for row in gpus.values())
    market = types["gpu_spot"]["node_config"]["InstanceMarketOptions"]
    assert market == {"MarketType": "spot"}
    limit = launcher("aws.yaml")["max_workers"]
    assert sum(row["max_workers"] for row in gpus.values()) <= limit


@pytest.mark.parametrize("name", LAUNCHERS)
def test_the_head_takes_no_trial_and_its_dashboard_stays_on_loopback(name: str) -> None:
    (start,) = [c for c in launcher(name)["head_start_ray_commands"] if "--head" in c]
    assert "--num-cpus=0" in start
    assert "--dashboard-host=127.0.0.1" in start
    options = launcher(name)["docker"]["run_options"]
    assert "--env=RAY_AUTH_MODE=token" in options


FILES = sorted(path for path in CLUSTER.iterdir() if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_holds_a_key_and_no_image_floats(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"AKIA[0-9A-Z]{12,}|BEGIN [A-Z ]*PRIVATE KEY|(?i:secret_access_key)", text)
    assert ":latest" not in text
    for image in re.findall(r"(?m)^\s*(?:image:|FROM)\s+(?:&image\s+)?(\S+)", text):
        assert image == "*image" or re.search(r":\d+\.\d+", image), image
