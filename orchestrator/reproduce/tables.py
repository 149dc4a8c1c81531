"""From finished trials to a table's files and what the terminal shows. Pure."""

from __future__ import annotations

from orchestrator.reproduce.ablation import ablation_table
from orchestrator.reproduce.experiment import Finished, Output
from orchestrator.reproduce.files import table_files
from orchestrator.reproduce.lines import PaperTable, per_category_table
from orchestrator.reproduce.terminal import render_table


def make_per_category(finished: Finished) -> Output:
    """Tables 1 and 2."""
    return table_output(per_category_table(finished.part, finished.records))


def make_ablation(finished: Finished) -> Output:
    """Tables 3 to 5."""
    return table_output(ablation_table(finished.part, finished.records))


def table_output(table: PaperTable) -> Output:
    """The table in all of its forms."""
    return Output(table_files(table), render_table(table))
