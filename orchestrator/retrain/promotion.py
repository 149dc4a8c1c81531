"""From a finished batch to aliases: judges challengers beside champions, and writes who won."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from memseg.errors import MemSegError, StorageDownError
from memseg.storage import open_folder
from memseg.versions.version import Version
from orchestrator.aggregation.selection import Finished
from orchestrator.aggregation.tables import Tables
from orchestrator.job.job import Job
from orchestrator.planning.inventory import CategoryInventory
from orchestrator.registry.registry import Registry
from orchestrator.retrain.decision import Judged, decide
from orchestrator.retrain.known import unseen_images

Say = Callable[[str], None]


def settle_aliases(
    job: Job,
    tables: Tables,
    registry: Registry,
    inventory: Mapping[str, CategoryInventory],
    say: Say,
) -> tuple[str, ...]:
    """Promotes each category's new version or makes it challenger, and says why.

    Returns the categories for which that could not be done. Raises StorageDownError.
    """
    failed = []
    for category in job.config.data.categories:
        choice = tables.choices.get(category)
        if choice is None or choice.winner.trial.key not in registry.version_ids(category):
            say(f"{category}: no new version: see the failures above")
            failed.append(category)
            continue
        try:
            _settle(job, choice.winner, registry, inventory[category], say)
        except StorageDownError:
            raise
        except MemSegError as error:
            say(f"{category}: version {choice.winner.trial.key} was not judged: {error}")
            failed.append(category)
    return tuple(failed)


def _settle(
    job: Job, winner: Finished, registry: Registry, inventory: CategoryInventory, say: Say
) -> None:
    trial = winner.trial
    category, version = trial.category, trial.key
    champion = registry.champion(category)
    if champion.id == version:
        say(f"{category}: {version} is champion: the category's first model")
        return
    held_out = tuple(winner.result["held_out"] or ())
    unseen = unseen_images(held_out, inventory.files, champion, open_folder(job.config.workspace))
    if len(unseen) < job.config.retrain.least_images:
        say(
            f"{category}: {len(unseen)} of {len(held_out)} held-out images are unknown to the "
            f"champion, {job.config.retrain.least_images} are needed: synthetic validation judges "
            "nothing"
        )
        unseen = ()
    figures = _figures(job, winner, [champion, registry.version(category, version)], unseen)
    judged = [Judged(v, figures[v]) for v in (champion.id, version)]
    tolerance = job.config.retrain.tolerance
    decision = decide(judged[0], judged[1], tolerance)
    evidence = {
        "figures": figures,
        "tolerance": tolerance,
        "normal_images": list(unseen),
        "test_images": inventory.test_normal + inventory.test_anomalous,
    }
    if decision.promotes:
        registry.promote(category, version, decision.reason, evidence)
        say(f"{category}: {version} is promoted to champion: {decision.reason}")
    else:
        registry.challenge(category, version, decision.reason, evidence)
        say(f"{category}: {version} stays challenger: {decision.reason}")


def _figures(
    job: Job, winner: Finished, versions: list[Version], unseen: tuple[str, ...]
) -> dict[str, dict[str, float | None]]:
    # torch takes seconds to import: only when there is something to judge.
    from orchestrator.running.inputs import sources_of
    from orchestrator.running.judging import judge
    from orchestrator.running.placement import Placement

    config = job.config
    sources = sources_of(config)
    placement = Placement(device=config.device, threads=config.resources.threads)
    if config.executor == "ray":
        from orchestrator.running.ray_judging import judge_on_ray

        return judge_on_ray(config, versions, winner.trial, unseen, sources, placement)
    return judge(versions, winner.trial, unseen, sources, placement)
