"""Properties of the cluster files that no schema knows: placement, exposure, secrets, images."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import pytest
import yaml

from tests.cluster.validators import CLUSTER, load

FILES = sorted(path.name for path in CLUSTER.glob("*.yaml"))
PROJECT = tomllib.loads((CLUSTER.parent / "pyproject.toml").read_text())["project"]
# What AWS keys, tokens and private keys look like, and variables that hold them as text.
SECRETS = re.compile(r"AKIA[0-9A-Z]{12}|BEGIN [A-Z ]*PRIVATE KEY|[A-Za-z0-9+/]{40,}")
SECRET_NAMES = re.compile(r"SECRET|PASSWORD|TOKEN|ACCESS_KEY", re.IGNORECASE)


def _walk(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    yield name, tree
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _walk(value, str(key))
    elif isinstance(tree, list):
        for value in tree:
            yield from _walk(value, name)


def _cluster() -> Any:
    return load("raycluster.yaml")["spec"]


def _pods() -> dict[str, Any]:
    spec = _cluster()
    pods = {group["groupName"]: group["template"]["spec"] for group in spec["workerGroupSpecs"]}
    return {"head": spec["headGroupSpec"]["template"]["spec"], **pods}


def test_the_files_that_the_readme_describes_are_there() -> None:
    readme = (CLUSTER / "README.md").read_text()
    for name in (*FILES, "Dockerfile", "constraints.txt"):
        assert f"`{name}`" in readme


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_one_plain_yaml_document(name: str) -> None:
    assert isinstance(yaml.safe_load((CLUSTER / name).read_text()), dict)


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_exposed(name: str) -> None:
    for key, value in _walk(load(name)):
        assert value not in ("LoadBalancer", "NodePort")
        assert not (key in ("hostNetwork", "privileged", "enableIngress") and value)
        assert "--dashboard-host=0.0.0.0" not in str(value)


@pytest.mark.parametrize("name", FILES)
def test_no_credential_is_written_down(name: str) -> None:
    text = (CLUSTER / name).read_text()
    assert not SECRETS.search(text)
    for _, value in _walk(load(name)):
        if isinstance(value, dict) and SECRET_NAMES.search(str(value.get("name", ""))):
            assert "value" not in value
        if isinstance(value, str) and value.startswith("--env "):
            variable, given, _ = value.removeprefix("--env ").partition("=")
            assert not (given and SECRET_NAMES.search(variable))


def test_a_credential_would_be_found() -> None:
    assert SECRETS.search("AKIAIOSFODNN7EXAMPLE")
    assert SECRETS.search("aws: wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYxxx")
    assert SECRET_NAMES.search("AWS_SECRET_ACCESS_KEY")


@pytest.mark.parametrize("name", FILES)
def test_images_are_the_projects_version_and_no_moving_tag(name: str) -> None:
    images = [value for key, value in _walk(load(name)) if key == "image"]
    assert images or name == "service-account.yaml"
    for image in images:
        assert image == f"REPLACE-REGISTRY/memseg:{PROJECT['version']}"


def test_ray_is_one_version_everywhere() -> None:
    pinned = _constraints()["ray"]
    assert _cluster()["rayVersion"] == pinned
    assert metadata.version("ray").split(".")[0] == pinned.split(".")[0]


def test_all_dependencies_are_pinned_in_the_image() -> None:
    pinned = _constraints()
    for dependency in PROJECT["dependencies"]:
        name = re.match(r"[A-Za-z0-9-]+", dependency)
        assert name
        assert re.fullmatch(r"\d+(\.\d+)+", pinned[name[0]])


def _constraints() -> dict[str, str]:
    lines = (CLUSTER / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_no_training_on_the_head() -> None:
    head = _cluster()["headGroupSpec"]
    assert head["rayStartParams"]["num-cpus"] == "0"
    assert head["serviceType"] == "ClusterIP"
    limits = head["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert not [name for name in limits if name.endswith("/gpu")]


def test_gpu_groups_start_from_nothing_and_spot_goes_first() -> None:
    groups = {group["groupName"]: group for group in _cluster()["workerGroupSpecs"]}
    assert set(groups) == {"gpu", "gpu-spot"}
    for group in groups.values():
        assert (group["replicas"], group["minReplicas"]) == (0, 0)
        assert group["maxReplicas"] > 0
        limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
        assert limits["nvidia.com/gpu"] == "1"
    assert groups["gpu-spot"]["priority"] > groups["gpu"]["priority"]
    spot = groups["gpu-spot"]["template"]["spec"]
    assert spot["nodeSelector"] == {"karpenter.sh/capacity-type": "spot"}
    assert "memseg/spot" in {t["key"] for t in spot["tolerations"]}


def test_only_known_tokens_get_in() -> None:
    assert _cluster()["authOptions"] == {"mode": "token"}


@pytest.mark.parametrize("name", _pods())
def test_a_pod_is_bounded_and_no_root(name: str) -> None:
    pod = _pods()[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["serviceAccountName"] == load("service-account.yaml")["metadata"]["name"]
    assert name == "head" or pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        resources = container["resources"]
        # Ray takes limits for what a node has: with less requested it would hand out too much.
        assert resources["requests"] == resources["limits"]
        assert {"cpu", "memory", "ephemeral-storage"} <= set(resources["limits"])


def test_the_autoscaler_and_the_submitter_are_bounded_too() -> None:
    job = load("rayjob.yaml")["spec"]
    submitter = job["submitterPodTemplate"]["spec"]
    assert submitter["securityContext"]["runAsNonRoot"] is True
    assert submitter["automountServiceAccountToken"] is False
    (container,) = submitter["containers"]
    # KubeRay puts its own there.
    assert "command" not in container
    for bounded in (container, job["rayClusterSpec"]["autoscalerOptions"]):
        assert bounded["securityContext"]["allowPrivilegeEscalation"] is False
        assert bounded["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert bounded["resources"]["requests"] == bounded["resources"]["limits"]


@pytest.mark.parametrize("name", ["rayjob.yaml", "retrain-cronjob.yaml"])
def test_a_job_names_what_the_autoscaler_may_start(name: str) -> None:
    job = load(name)["spec"]
    if name == "rayjob.yaml":
        words = job["entrypoint"].split()
    else:
        words = job["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"]
    said = {
        words[i][12:]: int(words[i + 1]) for i in range(len(words)) if "--resources" in words[i]
    }
    for group in _cluster()["workerGroupSpecs"]:
        limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
        assert said["autoscaled_nodes"] == group["maxReplicas"]
        assert said["autoscaled_cpus"] == int(limits["cpu"])
        assert said["autoscaled_gpus"] == int(limits["nvidia.com/gpu"])
        assert f"{said['autoscaled_memory_gib']}Gi" == limits["memory"]
        assert said["threads"] <= said["autoscaled_cpus"]


def test_a_ray_job_cleans_up_and_tries_again_a_few_times() -> None:
    job = load("rayjob.yaml")["spec"]
    assert job["shutdownAfterJobFinishes"] is True
    assert 0 < job["ttlSecondsAfterFinished"] <= 3600
    assert 0 < job["backoffLimit"] <= 3
    assert "runtimeEnvYAML" not in job
