"""Which experiments a command line asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from memseg.errors import SettingError
from orchestrator.reproduce.choosing import named_job, of_the_data, split_arguments, wanted
from orchestrator.reproduce.experiments import EXPERIMENTS, FIGURE_8

Make = Callable[..., Any]


def names(experiments: Any) -> list[str]:
    return [experiment.name for experiment in experiments]


def test_names_come_before_the_options_apart_or_with_commas() -> None:
    argv = ["table4,table3", "figure8", "--preset", "best", "--dry_run"]
    found, options = split_arguments(argv)
    assert found == ["table4", "table3", "figure8"]
    assert options == ["--preset", "best", "--dry_run"]
    assert names(wanted(found, EXPERIMENTS)) == ["table3", "table4", "figure8"]


def test_figure_10_is_made_with_table_6() -> None:
    assert split_arguments(["figure10", "--dry_run"]) == (["table6"], ["--dry_run"])


def test_what_is_not_offered_is_said_with_what_is() -> None:
    with pytest.raises(SettingError, match="did you mean 'table3'"):
        wanted(["tabel3"], EXPERIMENTS)
    with pytest.raises(SettingError, match=r"table1, .*figure8, .*speed or all"):
        wanted([], EXPERIMENTS)


def test_all_is_what_the_data_can_give() -> None:
    everything = wanted(["all"], EXPERIMENTS)
    kept, left_out = of_the_data(everything, ["all"], ["screw", "transistor"])
    assert names(kept) == [name for name in names(EXPERIMENTS) if name != "table2"]
    assert "01, 02, 03" in left_out[0]
    assert "--data.layout btad" in left_out[0]
    assert names(of_the_data(everything, ["all"], ["01", "02"])[0]) == ["table2"]
    assert names(of_the_data(everything, ["all"], ["our_line"])[0]) == names(EXPERIMENTS)


def test_one_that_is_named_is_kept_for_any_categories() -> None:
    named = wanted(["table3"], EXPERIMENTS)
    assert names(of_the_data(named, ["table3"], ["01"])[0]) == ["table3"]
    own = wanted(["table2"], EXPERIMENTS)
    assert names(of_the_data(own, ["table2"], ["our_line"])[0]) == ["table2"]


def test_a_data_sets_own_table_is_not_made_of_another_one() -> None:
    kept, (why,) = of_the_data(wanted(["table2"], EXPERIMENTS), ["table2"], ["screw"])
    assert not kept
    assert "table2 is left out: none of the categories of BTAD (01, 02, 03) is there" in why


def test_what_needs_another_data_set_is_said_in_one_sentence() -> None:
    _, (why,) = of_the_data(wanted(["all"], EXPERIMENTS), ["all"], ["01"])
    assert why.startswith("table1, table3, table4, table5, table6, figure3, ")
    assert why.count("toothbrush") == 1


def test_an_experiment_without_any_category_is_left_out() -> None:
    kept, left_out = of_the_data([FIGURE_8], ["figure8"], ["screw"])
    assert not kept
    assert "screw and toothbrush" in left_out[0]


def test_the_folder_is_named_by_what_is_reproduced(job_of: Make) -> None:
    some = wanted(["table3", "figure8"], EXPERIMENTS)
    assert named_job(job_of(), ["figure8", "table3"], some).config.name == (
        "reproduce-table3-figure8"
    )
    everything = wanted(["all"], EXPERIMENTS)
    assert named_job(job_of(), ["all"], everything).config.name == "reproduce-all"
    for name in ("mine", "reproduce"):  # the job file's own, too
        assert named_job(job_of("--name", name), ["all"], everything).config.name == name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--grid.optimizer.lr", "[0.1]"), "--grid null"),
        (("--scheduler", "successive_halving"), "scheduler none"),
        (("--selection", "test"), "chooses nothing"),
        (("--model.memory", "false"), "figure8 and figure9 would have nothing to show"),
        (("--per_category.tile.model.memory", "false"), "figure8 and figure9"),
    ],
)
def test_what_has_no_meaning_here_is_refused(
    job_of: Make, options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        named_job(job_of(*options), ["all"], EXPERIMENTS)
