"""Publishes a sweep's winners and lets go of the weights that nobody needs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from memseg.errors import RegistryError, StorageDownError, StorageError
from orchestrator.aggregation.selection import Choice
from orchestrator.aggregation.tables import Tables
from orchestrator.aggregation.winners import weights_to_drop
from orchestrator.ledger.kinds import kind
from orchestrator.ledger.ledger import WEIGHTS, WITH_MODEL, Ledger, Pruned, Record
from orchestrator.ledger.listing import keys_with, resting_checkpoints
from orchestrator.planning.plan import Plan
from orchestrator.registry.bundle import version_files
from orchestrator.registry.registry import Registry


def publish_winners(tables: Tables, records: Mapping[str, Record], ledger: Ledger) -> list[str]:
    """Publishes the best trial of each category; a version that is there stays as it is.

    Returns a note for each winner that could not be published; the others are. Raises
    StorageDownError: a disk that is too full for weights stops the sweep, which goes on later.
    """
    registry = Registry(ledger.workspace.sub("registry"))
    notes = []
    unknown = Counter(t.category for t in tables.plan.trials if t.key not in records)
    for category, choice in tables.choices.items():
        try:
            note = _publish(category, choice, tables, unknown[category], ledger, registry)
        except StorageDownError:
            raise
        except (RegistryError, StorageError) as error:
            note = str(error)
        if note is not None:
            notes.append(f"{category} is not published: {note}")
    return notes


def _publish(
    category: str,
    choice: Choice,
    tables: Tables,
    unknown: int,
    ledger: Ledger,
    registry: Registry,
) -> str | None:
    """Publishes one winner; returns why not, or None.

    ``unknown``: how many trials of the category left neither a result nor a failure.
    """
    passing = unknown + sum(
        group.trials
        for group in tables.failures
        if group.category == category and kind(group.kind).passing
    )
    if passing:
        # The first version becomes champion: that is not left to who happened to survive.
        were = "was" if passing == 1 else "were"
        return f"{passing} of its trials {were} lost, run the same command again"
    trial = choice.winner.trial
    if registry.is_published(category, trial.key):
        return None
    folder = ledger.trial_folder(category, trial.key)
    if not folder.exists(WEIGHTS):
        return (
            f"the weights of its best trial {trial.key} were not kept by an earlier sweep; "
            f"delete {folder.at('result.json')} to train it again"
        )
    more = {name: folder.read(name) for name in WITH_MODEL if folder.exists(name)}
    files = version_files(choice.winner.result, folder.read(WEIGHTS), choice.selection, more)
    registry.publish(category, trial.key, files)
    return None


def drop_weights(plan: Plan, records: Mapping[str, Record], ledger: Ledger) -> None:
    """With ``keep_weights: best``, deletes what will not be asked for again.

    Weights of trials that are not their category's winner, and checkpoints of those that successive
    halving has stopped: two weights' worth each. A sweep without halving begins them again.
    """
    by_category: dict[str, list[str]] = defaultdict(list)
    for trial in weights_to_drop(plan, records):
        by_category[trial.category].append(trial.key)
    for category, keys in by_category.items():
        # Most were dropped by an earlier run: one listing saves several questions a trial.
        kept = keys_with(ledger.workspace, category, (WEIGHTS, *WITH_MODEL))
        for key in keys:
            if key in kept:
                ledger.drop_weights(category, key)
    if plan.keep_weights == "best":
        _drop_checkpoints(plan, records, ledger)


def _drop_checkpoints(plan: Plan, records: Mapping[str, Record], ledger: Ledger) -> None:
    pruned: dict[str, set[str]] = defaultdict(set)
    for trial in plan.trials:
        if isinstance(records.get(trial.key), Pruned):
            pruned[trial.category].add(trial.key)
    for category, keys in pruned.items():
        # Another sweep, without halving, may be at one of them.
        for key in sorted(keys & resting_checkpoints(ledger.workspace, category)):
            ledger.drop_checkpoints(category, key)
