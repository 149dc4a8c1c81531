"""``python -m orchestrator.sweep``: from a job to tables and a registry.

Exit codes: 0 all trials done; 1 some failed (tables are written and marked); 2 the command or
its input is wrong (one message, nothing was started); 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from memseg.data.demo import draw_demo
from memseg.errors import MemSegError
from memseg.storage import open_folder
from orchestrator.aggregation.winners import weights_to_drop
from orchestrator.job.job import Job
from orchestrator.job.read import read_job
from orchestrator.ledger.ledger import Done, Ledger
from orchestrator.planning.inventory import gather_inventory
from orchestrator.planning.plan import Plan, make_plan

OK, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130
