"""The whole programme and its cost, before anything is started."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from orchestrator.planning.allotment import Allotment
from orchestrator.planning.estimate import estimate
from orchestrator.planning.mvtec_ad import published_inventory
from orchestrator.planning.render import as_text
from orchestrator.reproduce.dry_run import render_programme
from orchestrator.reproduce.experiments import EXPERIMENTS
from orchestrator.reproduce.programme import make_programme

Make = Callable[..., Any]
OF_MVTEC = [e for e in EXPERIMENTS if e.name != "table2"]
ALLOTMENT = Allotment("ray", "cpu", 1, 1, 0.0, 2, "CPUs")


def text_of(job: Any, inventory: Any, done: int = 0, whole: Any = None) -> str:
    programme = make_programme(job, inventory, "fp32", OF_MVTEC)
    from orchestrator.ledger.ledger import Done

    result = {"settings": {}, "hardware": {}, "seconds": {}}
    records: Any = {t.key: Done(result) for t in programme.plan.trials[:done]}
    costs = estimate(programme.plan, ALLOTMENT, set(records))
    shown = render_programme(job, programme, costs, records, ["table2 is left out: why"], whole)
    return as_text(shown)


def row(text: str, name: str) -> list[str]:
    """The numbers of an experiment's row."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"│ {name} ")]
    return re.findall(r"│\s+(\d+)(?=\s)", line)


def test_all_fifteen_categories_with_what_is_shared(job_of: Make) -> None:
    text = text_of(job_of(), published_inventory())
    assert max(map(len, text.splitlines())) <= 100
    # 15 of the whole method; foreground is on in 8; 13 categories of figure 8, without N = 30.
    assert row(text, "table1")[:5] == ["15", "15", "0", "0", "15"]
    assert row(text, "table3")[:5] == ["15", "53", "15", "0", "38"]
    assert row(text, "table4")[:5] == ["15", "45", "15", "0", "30"]
    assert row(text, "table5")[:5] == ["15", "90", "15", "0", "75"]
    assert row(text, "figure8")[:5] == ["13", "52", "13", "0", "39"]
    # Pictures, table 6 and speed are made of trials that the tables have.
    for name in ("table6", "figure5", "figure6", "figure9", "speed"):
        assert row(text, name)[:5] == ["15", "15", "15", "0", "0"]
    assert row(text, "figure7")[:5] == ["15", "30", "30", "0", "0"]
    assert row(text, "figure3")[:5] == ["15", "0", "0", "0", "0"]
    assert row(text, "all")[:4] == ["197", "163", "0", "197"]
    assert "for 197 trials" in text
    assert "figure8 leaves out screw and toothbrush" in text
    assert "are missing" not in text


def test_where_two_categories_are_there_the_others_are_named(
    job_of: Make, inventory_of: Make
) -> None:
    text = text_of(job_of(), inventory_of("screw", "transistor"))
    flat = " ".join(text.split())
    assert "13 of the 15 categories of MVTec AD in the paper's tables are missing" in flat
    assert "carpet, grid, leather" in flat
    assert "table2 is left out: why" in flat


def test_finished_trials_are_not_to_run(job_of: Make, inventory_of: Make) -> None:
    text = text_of(job_of(), inventory_of("transistor"), done=3)
    # The whole method, and two of table 3.
    assert row(text, "table1")[3:5] == ["1", "0"]
    assert row(text, "table3")[3:5] == ["3", "0"]
    assert row(text, "all")[2:4] == ["3", "10"]
    assert "for 10 trials" in text


def test_the_cost_with_the_missing_categories_is_told(job_of: Make, inventory_of: Make) -> None:
    whole = make_programme(job_of(), published_inventory(), "fp32", OF_MVTEC)
    text = " ".join(text_of(job_of(), inventory_of("screw"), whole=whole).split())
    assert "with the missing ones as published it would be 197 trials, about" in text
