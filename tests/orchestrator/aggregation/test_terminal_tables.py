"""What a person sees at the end of a sweep."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console

from orchestrator.aggregation.tables import make_tables
from orchestrator.aggregation.terminal import print_tables
from orchestrator.ledger.ledger import Failed

Make = Callable[..., Any]


def printed(tables: Any, places: dict[str, str] | None = None, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_tables(console, tables, places)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_figures_paper_baseline_configuration_and_places_fit_a_hundred_columns(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(("screw", "transistor", "a_product_line_with_a_long_name"), seeds=(0, 1))
    text = printed(make_tables(plan, records_of(plan)), {"tables": "/ws/sweeps/line/auroc.md"})
    assert max(map(len, text.splitlines())) <= 100
    row = next(line for line in text.splitlines() if line.startswith("screw")).split()
    assert row[1:7] == ["90.00", "80.00", "70.00", "97.80", "98.00", "61.00"]
    assert row[7] == "4"
    mean = next(line for line in text.splitlines() if line.startswith("mean ")).split()
    assert mean == ["mean", "90.00", "80.00", "70.00", "61.00", "12"]
    assert "/ws/sweeps/line/auroc.md" in text
    assert "best on average: optimizer.lr" in text


def test_what_is_missing_is_said(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("screw", "tile"), rates=(0.04,), problems={"tile": "tile/7.png is half"})
    text = " ".join(printed(make_tables(plan, records_of(plan))).split())
    assert "0 of 1" in text
    assert "1 of 2" in text
    assert "tile, 1 trial, data: tile/7.png is half" in text


def test_conditions_are_printed_and_names_are_not_markup(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("[red]x[/red]",), encoder_weights="random", selection="test")
    text = " ".join(printed(make_tables(plan, records_of(plan))).split())
    assert "[red]x[/red]" in text
    assert "RANDOM ENCODER WEIGHTS" in text
    assert "ORACLE" in text


def test_many_different_failures_are_cut_and_counted(plan_of: Make) -> None:
    plan = plan_of(seeds=range(15))
    records = {t.key: Failed({"kind": "bug", "message": t.key}) for t in plan.trials}
    assert "10 more in auroc.md" in printed(make_tables(plan, records))


def test_tables_need_neither_torch_nor_ray() -> None:
    code = (
        "import sys, orchestrator.aggregation.write, orchestrator.aggregation.terminal, "
        "orchestrator.ledger.pending; assert not {'torch', 'ray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
