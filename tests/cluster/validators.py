"""What a KubeRay manifest and a launcher file are held against; both refuse unknown names."""

from __future__ import annotations

import copy
import functools
import gzip
import json
from pathlib import Path
from typing import Any

import boto3
import ray.autoscaler
import yaml
from botocore.validate import ParamValidator
from jsonschema import Draft202012Validator
from ray.autoscaler._private.util import prepare_config, validate_config

CLUSTER = Path(__file__).parents[2] / "cluster"

_OBJECT_META = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "namespace": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def load(name: str) -> Any:
    """A file of ``cluster/``; raises where it needs more than plain YAML."""
    return yaml.safe_load((CLUSTER / name).read_text())


def manifest_validator(folder: Path, plural: str, version: str) -> Draft202012Validator:
    """What a custom resource is held against: a schema that refuses what it does not name."""
    crd, schema = _definition(folder, plural, version)
    closed: dict[str, Any] = close(schema)
    # The definitions leave these to Kubernetes, which knows them.
    closed["properties"]["metadata"] = _OBJECT_META
    closed["properties"]["kind"] = {"const": crd["spec"]["names"]["kind"]}
    closed["properties"]["apiVersion"] = {"const": f"{crd['spec']['group']}/{version}"}
    closed["required"] = ["apiVersion", "kind", "metadata", "spec"]
    Draft202012Validator.check_schema(closed)
    return Draft202012Validator(closed)


def pod_template_validator(folder: Path) -> Draft202012Validator:
    """What a pod template is held against: Kubernetes' own, as RayJob's definition has it."""
    _, schema = _definition(folder, "rayjobs", "v1")
    closed = close(schema["properties"]["spec"]["properties"]["submitterPodTemplate"])
    return Draft202012Validator(closed)


def _definition(folder: Path, plural: str, version: str) -> tuple[Any, Any]:
    """A custom resource definition, and the schema of one of its versions."""
    text = gzip.decompress((folder / f"ray.io_{plural}.yaml.gz").read_bytes())
    # The loader in C, where there is one: the definitions are long.
    crd = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    (schema,) = (
        v["schema"]["openAPIV3Schema"] for v in crd["spec"]["versions"] if v["name"] == version
    )
    return crd, schema


def close(schema: Any) -> Any:
    """A Kubernetes schema as JSON schema in which objects hold named properties only.

    Kubernetes' own words stay in it, JSON schema ignores them, but for two: what may be a number
    or text has no type of its own, and null is allowed where "nullable" says so.
    """
    if isinstance(schema, list):
        return [close(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        word: {name: close(part) for name, part in value.items()}
        if word == "properties"
        else close(value)
        for word, value in schema.items()
    }
    if "properties" in made and not made.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    if made.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
        made.setdefault("anyOf", [{"type": "integer"}, {"type": "string"}])
    if made.get("nullable") and "type" in made:
        made["type"] = [made["type"], "null"]
    return made


def check_launcher(config: dict[str, Any]) -> None:
    """Raises jsonschema.ValidationError, or ValueError for what Ray's schema leaves open.

    Ray hands ``provider`` and ``node_config`` on as they are; their names are checked here
    against those that its schema lists, and against EC2's.
    """
    validate_config(prepare_config(copy.deepcopy(config)))
    known = _provider_names()
    unknown = set(config["provider"]) - known
    if unknown:
        raise ValueError(f"provider: {sorted(unknown)} are not of {sorted(known)}")
    if config["provider"]["type"] == "aws":
        for name, node in config["available_node_types"].items():
            _check_ec2(name, node["node_config"])


def _provider_names() -> set[str]:
    path = Path(str(ray.autoscaler.__file__)).parent / "ray-schema.json"
    return set(json.loads(path.read_text())["properties"]["provider"]["properties"])


def _check_ec2(name: str, node_config: dict[str, Any]) -> None:
    asked = copy.deepcopy(node_config)
    # Ray's own word: it picks one of them as SubnetId.
    asked["SubnetId"] = asked.pop("SubnetIds")[0]
    report = ParamValidator().validate({**asked, "MinCount": 1, "MaxCount": 1}, _run_instances())
    if report.has_errors():
        raise ValueError(f"available_node_types.{name}.node_config: {report.generate_report()}")


@functools.cache
def _run_instances() -> Any:
    ec2 = boto3.client("ec2", region_name="eu-central-1")
    return ec2.meta.service_model.operation_model("RunInstances").input_shape
