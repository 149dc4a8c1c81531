"""From a finished batch to aliases: judges challengers beside champions, and writes who won."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from memseg.errors import MemSegError, StorageDownError
from memseg.storage import open_folder
from memseg.versions.version import Version
from memseg.words import counted
from orchestrator.aggregation.selection import Finished
from orchestrator.aggregation.tables import Tables
from orchestrator.job.job import Job
from orchestrator.job.layouts import layout_of
from orchestrator.planning.inventory import CategoryInventory
from orchestrator.registry.decisions import OutdatedError
from orchestrator.registry.registry import Registry
from orchestrator.registry.seen import seen_images
from orchestrator.retrain.decision import Judged, decide
from orchestrator.retrain.judging_images import JudgingImages, judging_images

Say = Callable[[str], None]
_JUDGED_AGAIN = 3
"""How often, where each time somebody makes another version champion meanwhile."""


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
            _settle_in_peace(job, choice.winner, registry, inventory[category], say)
        except StorageDownError:
            raise
        except MemSegError as error:
            say(f"{category}: version {choice.winner.trial.key} was not judged: {error}")
            failed.append(category)
    return tuple(failed)


def _settle_in_peace(
    job: Job, winner: Finished, registry: Registry, inventory: CategoryInventory, say: Say
) -> None:
    """Judges again where the champion was replaced while it was judged beside."""
    for _ in range(_JUDGED_AGAIN):
        try:
            return _settle(job, winner, registry, inventory, say)
        except OutdatedError as error:
            say(f"{winner.trial.category}: {winner.trial.key}: {error}")
    return _settle(job, winner, registry, inventory, say)


def _settle(
    job: Job, winner: Finished, registry: Registry, inventory: CategoryInventory, say: Say
) -> None:
    trial = winner.trial
    category, version = trial.category, trial.key
    champion = registry.champion(category)
    if champion.id == version:
        say(f"{category}: {version} is champion: the category's first model")
        return
    versions = [champion, registry.version(category, version)]
    images = _images(job, winner, versions, inventory, say)
    figures = _figures(job, winner, versions, images)
    judged = [Judged(v, figures[v]) for v in (champion.id, version)]
    tolerance = job.config.retrain.tolerance
    decision = decide(judged[0], judged[1], tolerance)
    evidence = {
        "figures": figures,
        "tolerance": tolerance,
        "normal_images": list(images.normal),
        "test_images": inventory.test_normal + inventory.test_anomalous - len(images.known_tests),
        "known_test_images": list(images.known_tests),
        "training_images_recorded": images.recorded,
    }
    if decision.promotes:
        registry.promote(category, version, decision.reason, evidence, beside=champion.id)
        say(f"{category}: {version} is promoted to champion: {decision.reason}")
    else:
        registry.challenge(category, version, decision.reason, evidence, beside=champion.id)
        say(f"{category}: {version} stays challenger: {decision.reason}")


def _images(
    job: Job, winner: Finished, versions: list[Version], inventory: CategoryInventory, say: Say
) -> JudgingImages:
    category, least = winner.trial.category, job.config.retrain.least_images
    held_out = tuple(winner.result["held_out"] or ())
    workspace = open_folder(job.config.workspace)
    images = judging_images(
        category, held_out, inventory.files, layout_of(job.config.data).train_folder,
        [seen_images(version, workspace) for version in versions],
    )  # fmt: skip
    if not images.recorded:
        say(
            f"{category}: what champion or challenger was trained on was not recorded: no held-out "
            "image judges, and test images that were training images are not found"
        )
    if images.known_tests:
        say(
            f"{category}: left out of judging: {counted(len(images.known_tests), 'test image')}, "
            "seen in training by the champion or the challenger's start: "
            f"{_first(images.known_tests)}"
        )
    if len(images.normal) < least:
        say(
            f"{category}: {len(images.normal)} of {len(held_out)} held-out images are unknown to "
            f"the champion, {least} are needed: synthetic validation judges nothing"
        )
        images = replace(images, normal=())
    return images


def _figures(
    job: Job, winner: Finished, versions: list[Version], images: JudgingImages
) -> dict[str, dict[str, float | None]]:
    # torch takes seconds to import: only when there is something to judge.
    from orchestrator.running.judging import judge
    from orchestrator.running.placement import Placement
    from orchestrator.running.sources import sources_of

    config = job.config
    sources = sources_of(config)
    placement = Placement(device=config.device, threads=config.resources.threads)
    if config.executor == "ray":
        from orchestrator.running.ray_judging import judge_on_ray

        return judge_on_ray(
            config, versions, winner.trial, images.normal, images.known_tests, sources, placement
        )
    return judge(versions, winner.trial, images.normal, images.known_tests, sources, placement)


def _first(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
