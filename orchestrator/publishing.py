"""Publishes a sweep's winners and lets go of the weights that nobody needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.aggregation.tables import Tables
from orchestrator.aggregation.winners import weights_to_drop
from orchestrator.ledger.ledger import EXAMPLES, WEIGHTS, Ledger, Record
from orchestrator.planning.plan import Plan
from orchestrator.registry.bundle import version_files
from orchestrator.registry.registry import Registry


def publish_winners(tables: Tables, ledger: Ledger) -> list[str]:
    """Publishes the best trial of each category; a version that is there stays as it is.

    Returns a note for each winner that could not be published. Raises RegistryError for weights
    that are not the result's, StorageError.
    """
    registry = Registry(ledger.workspace.sub("registry"))
    return list(_notes(tables, ledger, registry))


def _notes(tables: Tables, ledger: Ledger, registry: Registry) -> Iterator[str]:
    for category, choice in tables.choices.items():
        trial = choice.winner.trial
        if registry.is_published(category, trial.key):
            continue
        folder = ledger.trial_folder(category, trial.key)
        if not folder.exists(WEIGHTS):
            yield (
                f"{category}: the weights of its best trial {trial.key} were not kept by an "
                f"earlier sweep, so it is not published; delete {folder.at('result.json')} to "
                "train it again"
            )
            continue
        pictures = {EXAMPLES: folder.read(EXAMPLES)} if folder.exists(EXAMPLES) else {}
        files = version_files(choice.winner.result, folder.read(WEIGHTS), choice.by, pictures)
        registry.publish(category, trial.key, files)


def drop_weights(plan: Plan, records: Mapping[str, Record], ledger: Ledger) -> None:
    """Deletes the weights of trials that are not their category's winner (keep_weights: best)."""
    for trial in weights_to_drop(plan, records):
        ledger.drop_weights(trial.category, trial.key)
