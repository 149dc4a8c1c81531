"""The CronJob of retraining: what Kubernetes knows, and what it submits to which cluster."""

from __future__ import annotations

import shlex
from pathlib import Path as FilePath
from typing import Any

import jsonschema
import pytest

from orchestrator.job.read import read_job
from tests.cluster.cronjob_schema import cronjob_validator
from tests.cluster.mutations import Path, mappings, shown, with_wrong_key
from tests.cluster.test_commands import IN_RAY_JOB
from tests.cluster.validators import load, pod_template_validator

FREE = {"requests", "limits"}
"""Maps of names that are anybody's."""
JOB: Path = ("spec", "jobTemplate", "spec")
POD: Path = (*JOB, "template", "spec")
CONTAINER: Path = (*POD, "containers", 0)


def cronjob() -> Any:
    return load("retrain-cronjob.yaml")


def container() -> Any:
    return cronjob()["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]


def _places() -> list[Path]:
    return [path for path in mappings(cronjob()) if not (path and path[-1] in FREE)]


def test_it_is_what_kubernetes_knows() -> None:
    cronjob_validator().validate(cronjob())


@pytest.mark.parametrize("path", _places(), ids=shown)
def test_a_wrong_key_is_refused_at_every_depth(path: Path) -> None:
    with pytest.raises(jsonschema.ValidationError, match="wrongKey"):
        cronjob_validator().validate(with_wrong_key(cronjob(), path))


def test_the_wrong_keys_reach_into_the_secret() -> None:
    assert max(len(path) for path in _places()) >= 11
    assert len(_places()) > 12


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("apiVersion",), "batch/v1beta1"),
        (("kind",), "Job"),
        (("metadata", "name"), "a" * 53),
        (("spec", "schedule"), "every night"),
        (("spec", "concurrencyPolicy"), "Never"),
        (("spec", "failedJobsHistoryLimit"), "7"),
        ((*JOB, "backoffLimit"), -1),
        ((*JOB, "activeDeadlineSeconds"), 0),
        ((*POD, "restartPolicy"), "Always"),
        ((*POD, "containers"), []),
        ((*CONTAINER, "command"), "ray job submit"),
        ((*CONTAINER, "env", 0, "value"), True),
        ((*CONTAINER, "resources", "limits", "memory"), "much"),
    ],
    ids=lambda v: shown(v) if isinstance(v, tuple) else repr(v)[:20],
)
def test_a_wrong_value_is_refused(path: Path, value: Any) -> None:
    manifest = cronjob()
    place = manifest
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        cronjob_validator().validate(manifest)


@pytest.mark.real_data
def test_its_pod_is_what_kuberays_definitions_know_of_pods(real_data: FilePath) -> None:
    if not (real_data / "kuberay").is_dir():
        pytest.skip(f"KubeRay's custom resource definitions are not at {real_data / 'kuberay'}")
    pods = pod_template_validator(real_data / "kuberay")
    template = cronjob()["spec"]["jobTemplate"]["spec"]["template"]
    pods.validate(template)
    for path in mappings(template):
        if not (path and path[-1] in FREE):
            with pytest.raises(jsonschema.ValidationError, match="wrongKey"):
                pods.validate(with_wrong_key(template, path))


def test_it_submits_a_retraining_that_the_command_takes(tmp_path: FilePath) -> None:
    words = container()["command"]
    submitted = words[words.index("--") + 1 :]
    assert submitted[:3] == ["python", "-m", "orchestrator.retrain"]
    assert shlex.join(submitted) == " ".join(submitted)  # nothing that a shell would read otherwise
    job = read_job(submitted[3:], IN_RAY_JOB, tmp_path)
    assert job.config.retrain.watch == 0  # once a schedule; nothing would ever end it
    assert job.config.executor == "ray"


def test_it_submits_to_the_cluster_that_stays_with_its_token() -> None:
    cluster = load("raycluster.yaml")["metadata"]["name"]
    words = container()["command"]
    assert words[:4] == ["ray", "job", "submit", "--address"]
    assert words[4] == f"http://{cluster}-head-svc:8265"
    env = {entry["name"]: entry for entry in container()["env"]}
    assert env["RAY_AUTH_MODE"]["value"] == load("raycluster.yaml")["spec"]["authOptions"]["mode"]
    secret = env["RAY_AUTH_TOKEN"]["valueFrom"]["secretKeyRef"]
    assert secret == {"name": cluster, "key": "auth_token"}


def test_nights_do_not_overlap_and_a_failed_one_is_not_repeated_at_once() -> None:
    spec = cronjob()["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0


def test_its_pod_is_bounded_no_root_and_has_no_rights() -> None:
    pod = cronjob()["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container()["securityContext"]["allowPrivilegeEscalation"] is False
    assert container()["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    resources = container()["resources"]
    assert resources["requests"] == resources["limits"]
    assert "nvidia.com/gpu" not in resources["limits"]
