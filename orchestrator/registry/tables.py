"""A sweep's tables made anew from its plan and the ledger, without training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memseg.config import METHOD_VERSION
from memseg.data.categories import check_category_name
from memseg.errors import DataError, RegistryError, SettingError
from memseg.storage import Folder
from orchestrator.aggregation.tables import Tables, make_tables
from orchestrator.aggregation.write import write_failures, write_tables
from orchestrator.ledger.event_log import read_events
from orchestrator.ledger.ledger import Ledger
from orchestrator.ledger.reading import read_records
from orchestrator.planning.plan import NOTHING_CHOSEN, Plan, from_json

SWEEPS, PLAN = "sweeps", "plan.json"


@dataclass(frozen=True)
class Rebuilt:
    """A sweep's tables, written."""

    tables: Tables
    folder: Folder


def rebuild_tables(workspace: Folder, sweep: str, say: Callable[[str], None]) -> Rebuilt:
    """Writes what the sweep itself would write at its end; the same bytes for the same ledger.

    ``say`` hears of an index of the ledger that cannot be used. Raises RegistryError for a sweep
    that is not there or was planned by another version of the method, StorageError.
    """
    folder = workspace.sub(f"{SWEEPS}/{_checked(workspace, sweep)}")
    plan = read_plan(folder)
    if plan.selection == NOTHING_CHOSEN:
        raise RegistryError(
            f"{folder.at(PLAN)} is of a reproduction, in which nothing is chosen: run the same "
            f"python -m orchestrator.reproduce again, it trains nothing that is finished"
        )
    tables = make_tables(plan, read_records(Ledger(workspace), plan.trials, say))
    write_tables(folder, tables)
    write_failures(folder, plan.name, read_events(folder))
    return Rebuilt(tables, folder)


def read_plan(folder: Folder) -> Plan:
    """A sweep's plan.json. Raises RegistryError, StorageError."""
    where = folder.at(PLAN)
    value = folder.read_json(PLAN)
    try:
        plan = from_json(value)
        planned = [trial["key"] for trial in value["trials"]]
    except SettingError as error:
        raise RegistryError(f"{where}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RegistryError(
            f"{where} is damaged ({error!r}): run the sweep's command again, it plans anew and "
            f"trains nothing that is finished"
        ) from error
    # Keys are made again from what a trial is: another version of the method makes others, and
    # would find none of the results.
    if [trial.key for trial in plan.trials] != planned:
        raise RegistryError(
            f"{where} was planned by another version of the method than this program's "
            f"{METHOD_VERSION}: use the code that the sweep ran with, or run its command again"
        )
    return plan


def _checked(workspace: Folder, sweep: str) -> str:
    known = [n for n in workspace.folders(SWEEPS) if workspace.exists(f"{SWEEPS}/{n}/{PLAN}")]
    try:
        check_category_name(sweep)
    except DataError:
        known_name = False
    else:
        known_name = sweep in known
    if not known_name:
        raise RegistryError(
            f"no sweep {sweep!r} in {workspace.at(SWEEPS)}; there are: {', '.join(known) or 'none'}"
        )
    return sweep
