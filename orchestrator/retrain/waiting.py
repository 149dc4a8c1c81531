"""A version that waits for its judgement: the job that has made it, so that nothing is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from orchestrator.job.job import Job
from orchestrator.planning.inventory import CategoryInventory
from orchestrator.planning.trial import default_settings
from orchestrator.retrain.changes import NOT_JUDGED, Change, waits_for_judgement
from orchestrator.retrain.known import Known


def as_they_were_made(
    job: Job,
    changes: Iterable[Change],
    now: Iterable[CategoryInventory],
    known: Mapping[str, Sequence[Known]],
) -> Job:
    """The job with the settings and the start of each version that waits for its judgement. Pure.

    Today's champion and the registry's best configuration may be others than when it was made:
    with them its trial would be another one, trained again. Axes of a grid stay the job's.
    """
    categories = {category.category: category for category in now}
    per_category, starts = dict(job.per_category), dict(job.starts)
    for change in changes:
        if change.state != NOT_JUDGED:
            continue
        name = change.category
        version = next(
            version
            for version in known[name]
            if waits_for_judgement(version.trained, categories[name])
        )
        settings = version.settings
        per_category[name] = {
            **job.per_category.get(name, {}),
            **{setting: settings[setting] for setting in default_settings() if setting in settings},
        }
        starts.pop(name, None)
        if version.start is not None:
            starts[name] = version.start
    return replace(job, per_category=per_category, starts=starts)
