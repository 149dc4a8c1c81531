"""The KubeRay manifests against KubeRay's own definitions."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.cluster.mutations import Path, mappings, shown, with_wrong_key
from tests.cluster.validators import CLUSTER, close, load

MANIFESTS = ("raycluster.yaml", "rayjob.yaml")
# Maps of names that are anybody's: their values are checked, their names cannot be.
FREE = {"annotations", "labels", "nodeSelector", "limits", "requests", "rayStartParams"}

Crds = dict[str, Draft202012Validator]


def _places() -> list[tuple[str, Path]]:
    return [
        (name, path)
        for name in MANIFESTS
        for path in mappings(load(name))
        if not (path and path[-1] in FREE)
    ]


@pytest.mark.real_data
@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_what_kuberay_knows(name: str, crds: Crds) -> None:
    crds[name].validate(load(name))


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "path"), _places(), ids=lambda v: v if v in MANIFESTS else shown(v)
)
def test_a_wrong_key_is_refused_at_every_depth(name: str, path: Path, crds: Crds) -> None:
    with pytest.raises(jsonschema.ValidationError, match="wrongKey"):
        crds[name].validate(with_wrong_key(load(name), path))


def test_the_wrong_keys_reach_into_the_containers() -> None:
    assert max(len(path) for _, path in _places()) >= 9
    assert len(_places()) > 80


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "authOptions", "mode"), "password"),
        (("spec", "workerGroupSpecs", 0, "minReplicas"), "none"),
        (("spec", "headGroupSpec", "rayStartParams", "num-cpus"), 0),
        (("spec", "workerGroupSpecs", 0, "template"), None),
        (("spec", "autoscalerOptions", "resources", "limits", "memory"), "much"),
        (("kind",), "RayJob"),
        (("apiVersion",), "ray.io/v1alpha1"),
    ],
    ids=lambda v: shown(v) if isinstance(v, tuple) else repr(v),
)
def test_a_wrong_value_is_refused(path: Path, value: Any, crds: Crds) -> None:
    manifest = load("raycluster.yaml")
    place = manifest
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        crds["raycluster.yaml"].validate(manifest)


@pytest.mark.real_data
def test_what_the_readme_adds_for_storage_is_known_too(crds: Crds) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (CLUSTER / "README.md").read_text(), re.DOTALL)
    env, volume = (yaml.safe_load(block) for block in blocks)
    manifest = load("raycluster.yaml")
    pod = manifest["spec"]["workerGroupSpecs"][0]["template"]["spec"]
    pod["volumes"] = volume["volumes"]
    pod["containers"] = [{**pod["containers"][0], **volume["containers"][0], **env}]
    crds["raycluster.yaml"].validate(manifest)
    pod["volumes"][0]["persistentVolumeClaim"]["wrongKey"] = ""
    with pytest.raises(jsonschema.ValidationError, match="wrongKey"):
        crds["raycluster.yaml"].validate(manifest)


def test_both_manifests_describe_one_cluster() -> None:
    assert load("rayjob.yaml")["spec"]["rayClusterSpec"] == load("raycluster.yaml")["spec"]


def test_closing_a_schema_keeps_what_kubernetes_leaves_open() -> None:
    closed = close(
        {
            "properties": {
                "port": {"type": "string", "x-kubernetes-int-or-string": True},
                "free": {
                    "type": "object",
                    "properties": {"a": {"type": "string"}},
                    "x-kubernetes-preserve-unknown-fields": True,
                },
                "names": {"type": "object", "additionalProperties": {"type": "string"}},
                "none": {"type": "string", "nullable": True},
            }
        }
    )
    good = {"port": 80, "free": {"b": 1}, "names": {"x": "y"}, "none": None}
    jsonschema.validate(good, closed)
    jsonschema.validate({"port": "http"}, closed)
    for bad in ({"port": 1.5}, {"names": {"x": 1}}, {"other": 1}, {"none": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, closed)
