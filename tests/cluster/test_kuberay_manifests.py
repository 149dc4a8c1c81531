"""KubeRay's manifests against the schema of its resource definitions, unknown fields forbidden."""

from __future__ import annotations

import copy
import gzip
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

CLUSTER = Path(__file__).parents[2] / "cluster"
MANIFESTS = {"raycluster.yaml": "rayclusters", "rayjob.yaml": "rayjobs"}


def manifest(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((CLUSTER / name).read_text()))


def spec_of_cluster(name: str) -> dict[str, Any]:
    spec = manifest(name)["spec"]
    return dict(spec.get("rayClusterSpec", spec))


@cache
def schema(file: Path) -> dict[str, Any]:
    """Version v1's schema as JSON Schema; a field that it does not name is refused."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    definition = yaml.load(gzip.decompress(file.read_bytes()), Loader=loader)  # noqa: S506  safe
    (version,) = [v for v in definition["spec"]["versions"] if v["name"] == "v1"]
    found = _closed(version["schema"]["openAPIV3Schema"])
    found["properties"]["metadata"] = {"type": "object"}  # Kubernetes' own
    return dict(found)


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(value) for value in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and "additionalProperties" not in node:
        closed["additionalProperties"] = False
    return closed


@pytest.fixture
def definitions(real_data: Path) -> Path:
    folder = real_data / "kuberay"
    if not folder.is_dir():
        pytest.skip(f"KubeRay's resource definitions are not at {folder}")
    return folder


def check(name: str, value: dict[str, Any], definitions: Path) -> None:
    jsonschema.validate(value, schema(definitions / f"ray.io_{MANIFESTS[name]}.yaml.gz"))


def mappings(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all mappings below."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            yield from mappings(inner, (*path, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from mappings(inner, (*path, index))


FREE = ("metadata", "rayStartParams", "requests", "limits", "nodeSelector")
"""Mappings whose keys are the user's."""


@pytest.mark.real_data
@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_what_kuberay_takes(name: str, definitions: Path) -> None:
    check(name, manifest(name), definitions)


@pytest.mark.real_data
@pytest.mark.parametrize("name", MANIFESTS)
def test_a_wrong_key_anywhere_is_refused(name: str, definitions: Path) -> None:
    whole = manifest(name)
    places = [p for p in mappings(whole) if not (p and p[-1] in FREE)]
    assert len(places) > 30
    for place in places:
        broken = copy.deepcopy(whole)
        inner: Any = broken
        for key in place:
            inner = inner[key]
        inner["replicaz"] = 1
        with pytest.raises(jsonschema.ValidationError):
            check(name, broken, definitions)


@pytest.mark.parametrize("name", MANIFESTS)
def test_no_trial_runs_on_the_head_and_workers_start_from_zero(name: str) -> None:
    spec = spec_of_cluster(name)
    assert spec["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0", "num-gpus": "0"}
    groups = spec["workerGroupSpecs"]
    assert [group["groupName"] for group in groups] == ["gpu", "gpu-spot"]
    assert all(group["minReplicas"] == group["replicas"] == 0 for group in groups)
    assert spec["enableInTreeAutoscaling"] is True


@pytest.mark.parametrize("name", MANIFESTS)
def test_nothing_is_exposed_and_a_token_is_asked_for(name: str) -> None:
    spec = spec_of_cluster(name)
    assert spec["authOptions"]["mode"] == "token"
    assert spec["headGroupSpec"]["serviceType"] == "ClusterIP"
    text = (CLUSTER / name).read_text()
    for exposed in ("LoadBalancer", "NodePort", "enableIngress", "0.0.0.0", "hostNetwork"):
        assert exposed not in text


@pytest.mark.parametrize("name", MANIFESTS)
def test_pods_are_confined_and_their_memory_is_limited(name: str) -> None:
    spec = spec_of_cluster(name)
    templates = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    for pod in (template["template"]["spec"] for template in templates):
        (container,) = pod["containers"]
        assert container["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["resources"]["limits"]["memory"]
        assert pod["serviceAccountName"] == "memseg"


def test_the_jobs_cluster_is_the_cluster() -> None:
    assert spec_of_cluster("rayjob.yaml") == spec_of_cluster("raycluster.yaml")


def test_a_lost_head_starts_the_job_again_and_the_cluster_goes_when_it_ends() -> None:
    spec = manifest("rayjob.yaml")["spec"]
    assert spec["backoffLimit"] > 0
    assert spec["shutdownAfterJobFinishes"] is True
    assert spec["ttlSecondsAfterFinished"] > 0
