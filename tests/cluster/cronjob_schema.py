"""A batch/v1 CronJob as a closed JSON schema, by hand from Kubernetes' API reference.

The levels of CronJob and Job hold all names that Kubernetes 1.27 and later know. Of a pod it holds
what ``cluster/`` uses; KubeRay's definitions, where they are at hand, know pods in full.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

_TEXT = {"type": "string", "minLength": 1}
_FLAG = {"type": "boolean"}
_COUNT = {"type": "integer", "minimum": 0}
_QUANTITY = {"type": "string", "pattern": r"^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"}
_NAMES = {"type": "object", "additionalProperties": {"type": "string"}}
_CRON = r"^(\S+\s+){4}\S+$"


def _closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


_META = _closed(labels=_NAMES, annotations=_NAMES)

_ENV = {
    **_closed(
        ("name",),
        name=_TEXT,
        value={"type": "string"},
        valueFrom=_closed(
            ("secretKeyRef",),
            secretKeyRef=_closed(("name", "key"), name=_TEXT, key=_TEXT, optional=_FLAG),
        ),
    ),
    "oneOf": [{"required": ["value"]}, {"required": ["valueFrom"]}],
}
_AMOUNTS = {"type": "object", "additionalProperties": _QUANTITY}
_CONTAINER = _closed(
    ("name", "image", "command"),
    name={"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"},
    image=_TEXT,
    command={"type": "array", "items": _TEXT, "minItems": 1},
    env={"type": "array", "items": _ENV},
    securityContext=_closed(
        allowPrivilegeEscalation=_FLAG,
        capabilities=_closed(drop={"type": "array", "items": _TEXT}),
    ),
    resources=_closed(requests=_AMOUNTS, limits=_AMOUNTS),
)
_POD = _closed(
    ("containers", "restartPolicy"),
    # A Job's pods cannot be "Always", which is the default.
    restartPolicy={"enum": ["Never", "OnFailure"]},
    automountServiceAccountToken=_FLAG,
    serviceAccountName=_TEXT,
    securityContext=_closed(
        runAsNonRoot=_FLAG,
        runAsUser=_COUNT,
        runAsGroup=_COUNT,
        fsGroup=_COUNT,
        seccompProfile=_closed(("type",), type={"enum": ["RuntimeDefault", "Localhost"]}),
    ),
    containers={"type": "array", "items": _CONTAINER, "minItems": 1},
)
_JOB = _closed(
    ("template",),
    parallelism=_COUNT,
    completions=_COUNT,
    completionMode={"enum": ["NonIndexed", "Indexed"]},
    activeDeadlineSeconds={"type": "integer", "minimum": 1},
    backoffLimit=_COUNT,
    ttlSecondsAfterFinished=_COUNT,
    suspend=_FLAG,
    podReplacementPolicy={"enum": ["TerminatingOrFailed", "Failed"]},
    template=_closed(("spec",), metadata=_META, spec=_POD),
)
_SCHEMA = _closed(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "batch/v1"},
    kind={"const": "CronJob"},
    metadata=_closed(
        ("name",),
        # Kubernetes adds 11 characters for each job.
        name={"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$"},
        namespace=_TEXT,
        labels=_NAMES,
        annotations=_NAMES,
    ),
    spec=_closed(
        ("schedule", "jobTemplate"),
        schedule={"type": "string", "pattern": _CRON},
        timeZone=_TEXT,
        startingDeadlineSeconds=_COUNT,
        concurrencyPolicy={"enum": ["Allow", "Forbid", "Replace"]},
        suspend=_FLAG,
        successfulJobsHistoryLimit=_COUNT,
        failedJobsHistoryLimit=_COUNT,
        jobTemplate=_closed(("spec",), metadata=_META, spec=_JOB),
    ),
)


def cronjob_validator() -> Draft202012Validator:
    """What a CronJob is held against: names that it does not know are refused at every depth."""
    Draft202012Validator.check_schema(_SCHEMA)
    return Draft202012Validator(_SCHEMA)
