"""Tables of reproduce in RESULTS.md."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memseg.storage import Folder, open_folder
from orchestrator.aggregation.rows import NONE
from orchestrator.planning.reported_step import ReportedStep
from orchestrator.results.__main__ import OK, WRONG, main
from tests.orchestrator.results.made import result_of


def row(category: str, image: float | None, **more: Any) -> dict[str, Any]:
    return {
        **{n: v for n, v in more.items() if n == "simulation"}, "category": category,
        "image_auroc": image, "pixel_auroc": 0.5, "image_auroc_deviation": 0.01,
        "pixel_auroc_deviation": None, "paper_image_auroc": 0.9821, "paper_pixel_auroc": None,
        "image_auroc_difference": None if image is None else image - 0.9821,
        "pixel_auroc_difference": None,
    }  # fmt: skip


TABLE = {
    "name": "table3", "title": "Table 3: components",
    "rows": [row("average", 0.9, simulation="w/o texture"), row("average", None, simulation="all"),
             row("screw", 0.7, simulation="all")],
    "conditions": [{"text": "INCOMPLETE: 1 of 2", "loud": True},
                   {"text": "steps 2", "loud": False}],
}  # fmt: skip


@pytest.fixture
def sweep(place: Path) -> Folder:
    folder = open_folder(place / "ws/sweeps/reproduce-table3")
    folder.write("table3.json", json.dumps(TABLE).encode())
    folder.write_json("plan.json", {"trials": []})
    return folder


def test_a_table_stands_beside_the_papers_with_its_conditions(
    place: Path, sweep: Folder, put: Callable[..., Folder], capsys: pytest.CaptureFixture[str]
) -> None:
    put("one", result_of("a"))
    assert main([]) == OK
    before = (place / "RESULTS.md").read_text()
    assert main(["add", "ws", "tables", "--reproduced", "reproduce-table3"]) == OK
    assert "1 tables in results/tables" in capsys.readouterr().out
    about = place / "results/tables/experiment.yaml"
    about.write_text("title: The paper's tables\norder: 1\ncommand: reproduce table3\n")
    assert main(["add", "ws", "tables", "--reproduced", "reproduce-table3"]) == OK
    assert about.read_text().startswith("title: The paper's")
    assert main([]) == OK
    assert main(["--check"]) == OK
    text = (place / "RESULTS.md").read_text()
    added = """\
## The paper's tables

### Table 3: components

| simulation | image AUROC | paper image | difference | pixel AUROC | paper pixel | difference |
|---|---|---|---|---|---|---|
| w/o texture | 90.00 ± 1.00 | 98.21 | -8.21 | 50.00 | ~ | ~ |
| all | ~ ± 1.00 | 98.21 | ~ | 50.00 | ~ | ~ |

- **INCOMPLETE: 1 of 2**
- steps 2

```
reproduce table3
```

""".replace("~", NONE)
    assert added in text
    assert text.replace(added + "\n", "", 1).replace(added, "", 1) == before


def test_a_table_that_does_not_compare_has_no_column_for_it(place: Path, sweep: Folder) -> None:
    rows = [{**line, "image_auroc_difference": None} for line in TABLE["rows"]]
    steps = [{"way": "last", "every": 0}]
    content = {**TABLE, "rows": rows, "reported_steps": steps}
    sweep.write("table3.json", json.dumps(content).encode())
    assert main(["add", "ws", "tables", "--reproduced", "reproduce-table3"]) == OK
    assert main([]) == OK
    text = (place / "RESULTS.md").read_text()
    assert "| simulation | image AUROC | paper image | pixel AUROC | paper pixel |" in text
    assert f"| w/o texture | 90.00 ± 1.00 | 98.21 | 50.00 | {NONE} |" in text


def test_a_table_of_categories_keeps_all_its_rows(place: Path, sweep: Folder) -> None:
    rows = [row("screw", 0.7), row("average (1)", 0.7)]
    table = {**TABLE, "title": "Table 1", "rows": rows}
    sweep.write("table1.json", json.dumps(table).encode())
    assert main(["add", "ws", "tables", "--reproduced", "reproduce-table3"]) == OK
    assert main([]) == OK
    text = (place / "RESULTS.md").read_text()
    assert "| screw | 70.00 ± 1.00 |" in text
    assert "| average (1) | 70.00 ± 1.00 |" in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rows": None}, "is no table of orchestrator.reproduce"),
        ({"rows": [{"simulation": "all"}]}, "a row without a category"),
        ({"rows": [{"category": "a", "image_auroc": "high"}]}, "image_auroc must be a number"),
        ({"conditions": ["steps"]}, "a condition without a text"),
        (
            {"conditions": [{"text": f"reported step: {ReportedStep('test', 50)}", "loud": True}]},
            "its steps were chosen by the test set",
        ),
        ({"reported_steps": [{"way": "test", "every": 50}]}, "were chosen by the test set"),
        ({"reported_steps": ["last"]}, "does not say which steps are reported"),
    ],
)
def test_a_damaged_table_is_named(
    place: Path, sweep: Folder, capsys: pytest.CaptureFixture[str], changed: Any, said: str
) -> None:
    (place / "results/tables/tables").mkdir(parents=True)
    file = place / "results/tables/tables/table3.json"
    file.write_text(json.dumps({**TABLE, **changed}))
    (place / "results/tables/experiment.yaml").write_text("title: T\n")
    assert main([]) == WRONG
    message = capsys.readouterr().err
    assert said in message
    assert "tables/table3.json" in message


SPEED = {
    "name": "speed", "title": "Section 4.8: inference speed",
    "headings": ["network", "images/s"],
    "cells": [["screw", "2.10"], ["MemSeg in the paper", "31.34"]],
    "conditions": [{"text": "screw: AMD EPYC, 2 threads", "loud": False}],
}  # fmt: skip


def test_speeds_stand_as_they_were_shown(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = open_folder(place / "ws/sweeps/reproduce-speed")
    folder.write("speed.json", json.dumps(SPEED).encode())
    assert main(["add", "ws", "speed", "--reproduced", "reproduce-speed"]) == OK
    assert main([]) == OK
    text = (place / "RESULTS.md").read_text()
    assert "### Section 4.8: inference speed\n\n| network | images/s |\n" in text
    assert "| screw | 2.10 |\n| MemSeg in the paper | 31.34 |\n" in text
    assert "- screw: AMD EPYC, 2 threads\n" in text
    folder.write("speed.json", json.dumps({**SPEED, "cells": [["screw"]]}).encode())
    assert main(["add", "ws", "speed", "--reproduced", "reproduce-speed"]) == WRONG
    assert "not as long as its headings" in capsys.readouterr().err


def test_a_sweep_without_tables_is_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", "ws", "tables", "--reproduced", "base"]) == WRONG
    assert "has no tables of orchestrator.reproduce" in capsys.readouterr().err
    assert not (place / "results").exists()
