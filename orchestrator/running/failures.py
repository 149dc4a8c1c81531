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
    trace, message = None, str(error) or type(error).__name__
    if not isinstance(error, (MemSegError, str)):
        # Our own messages name no machine, and a file's name may look like an address.
        trace = without_addresses("".join(traceback.format_exception(error)))
        message = without_addresses(message)
    return {
        "key": trial.key,
        "category": trial.category,
        "kind": kind,
        "message": message,
        "traceback": trace,
        "attempts": attempts,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
