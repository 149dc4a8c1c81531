"""What the ledger keeps of a failed attempt."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from typing import Any

from memseg.errors import MemSegError
from orchestrator.planning.trial import Trial
from orchestrator.running.addresses import without_addresses


def failure(trial: Trial, kind: str, error: BaseException | str, attempts: int) -> dict[str, Any]:
    """The failure to record; a traceback only where the program, not its input, is at fault."""
    if isinstance(error, (MemSegError, str)):
        trace = None
    else:
        trace = without_addresses("".join(traceback.format_exception(error)))
    return {
        "key": trial.key,
        "category": trial.category,
        "kind": kind,
        "message": without_addresses(str(error)) or type(error).__name__,
        "traceback": trace,
        "attempts": attempts,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
