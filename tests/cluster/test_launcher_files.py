"""The launcher files against Ray's own validator, and against EC2 where Ray asks nothing."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tests.cluster.mutations import Path, mappings, shown, with_wrong_key
from tests.cluster.validators import check_launcher, load

LAUNCHERS = ("aws.yaml", "on-premises.yaml")
# Maps of names that are anybody's: files, node types, resources.
FREE = {"file_mounts", "available_node_types", "resources"}


def _places() -> list[tuple[str, Path]]:
    return [
        (name, path)
        for name in LAUNCHERS
        for path in mappings(load(name))
        if not (path and path[-1] in FREE)
    ]


@pytest.mark.parametrize("name", LAUNCHERS)
def test_a_launcher_file_is_what_ray_knows(name: str) -> None:
    check_launcher(load(name))


@pytest.mark.parametrize(
    ("name", "path"), _places(), ids=lambda v: v if v in LAUNCHERS else shown(v)
)
def test_a_wrong_key_is_refused_at_every_depth(name: str, path: Path) -> None:
    with pytest.raises((jsonschema.ValidationError, ValueError), match="wrongKey"):
        check_launcher(with_wrong_key(load(name), path))


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("aws.yaml", ("head_node_type",), "nobody"),
        ("aws.yaml", ("max_workers",), "many"),
        ("aws.yaml", ("available_node_types", "gpu", "resources", "GPU"), "one"),
        ("aws.yaml", ("available_node_types", "gpu", "node_config", "ImageId"), 7),
        ("on-premises.yaml", ("docker", "run_options"), "--net=host"),
    ],
    ids=lambda v: shown(v) if isinstance(v, tuple) else str(v),
)
def test_a_wrong_value_is_refused(name: str, path: Path, value: Any) -> None:
    config = load(name)
    place = config
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises((jsonschema.ValidationError, ValueError)):
        check_launcher(config)


@pytest.mark.parametrize("name", LAUNCHERS)
def test_nothing_is_installed_when_nodes_start(name: str) -> None:
    # Ray's defaults for AWS install a nightly Ray where these are left out.
    config = load(name)
    for commands in ("setup_commands", "head_setup_commands", "worker_setup_commands"):
        assert config[commands] == []


@pytest.mark.parametrize("name", LAUNCHERS)
def test_the_head_offers_nothing_to_trials_and_its_dashboard_to_nobody(name: str) -> None:
    start = load(name)["head_start_ray_commands"][-1].split()
    assert start[:3] == ["ray", "start", "--head"]
    assert {"--num-cpus=0", "--num-gpus=0", "--dashboard-host=127.0.0.1"} <= set(start)


def test_ec2_grows_from_no_gpu_and_asks_for_spot_first() -> None:
    nodes = load("aws.yaml")["available_node_types"]
    assert nodes["head"]["resources"] == {"CPU": 0, "GPU": 0}
    groups = {name: node for name, node in nodes.items() if node["resources"]["GPU"]}
    assert {node["min_workers"] for node in groups.values()} == {0}
    spot = {n for n, g in groups.items() if "InstanceMarketOptions" in g["node_config"]}
    assert spot == {"gpu-spot"}
    # The launcher's autoscaler has no priorities: of equal groups it takes the last by name.
    assert max(groups) == "gpu-spot"


@pytest.mark.parametrize("name", LAUNCHERS)
def test_a_container_is_shown_the_gpus(name: str) -> None:
    docker = load(name)["docker"]
    assert "--env NVIDIA_VISIBLE_DEVICES=all" in docker["worker_run_options"]
    assert not any("NVIDIA" in option for option in docker["run_options"])


def test_ec2_nodes_are_of_a_group_and_a_profile_that_somebody_chose() -> None:
    for node in load("aws.yaml")["available_node_types"].values():
        # Left out, Ray makes a group with SSH open to everywhere, and takes an old image.
        assert {"SecurityGroupIds", "IamInstanceProfile", "ImageId"} <= set(node["node_config"])
        assert node["node_config"]["MetadataOptions"] == {"HttpTokens": "required"}
