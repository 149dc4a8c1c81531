"""From a command line and a job file to a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from memseg.errors import SettingError
from orchestrator.job.job import Axis, Job
from orchestrator.job.read import read_job

Read = Callable[..., Job]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a job whose file holds ``text``, in an empty working directory."""

    def reading(argv: Sequence[str] = (), text: str = "", **environ: str) -> Job:
        (tmp_path / "line.yaml").write_text(text)
        environ = {"MEMSEG_DATA_ROOT": "/images", **environ}
        return read_job(["--config", "line.yaml", *argv], environ, tmp_path, tmp_path / "none")

    return reading


def test_an_empty_job_file_is_all_defaults(read: Read, tmp_path: Path) -> None:
    job = read()
    assert job.config.name == "line"
    assert job.config.data.root == "/images"
    assert job.config.workspace == str(tmp_path / "runs")
    assert job.config.seeds == (0,)
    assert job.config.textures is None
    assert job.grid == ()
    assert dict(job.method) == {}


def test_settings_may_be_nested_or_dotted(read: Read) -> None:
    job = read(text="training.max_steps: 200\nloss: {focal_gamma: 3}\ndata: {layout: btad}\n")
    assert dict(job.method) == {"training.max_steps": 200, "loss.focal_gamma": 3.0}
    assert job.config.data.layout == "btad"


def test_the_command_line_wins_over_the_job_file(read: Read) -> None:
    text = "training: {max_steps: 200, batch_size: 4}\nname: night\nseeds: [0]\n"
    job = read(["--training.max_steps", "7", "--name=day", "--seeds", "[0, 1]"], text)
    assert dict(job.method) == {"training.max_steps": 7, "training.batch_size": 4}
    assert job.config.name == "day"
    assert job.config.seeds == (0, 1)


def test_the_last_of_equal_options_counts(read: Read) -> None:
    assert read(["--name", "a", "--name=b"]).config.name == "b"


@pytest.mark.parametrize("argv", [["--dry_run"], ["--dry_run", "true"], ["--dry_run=true"]])
def test_a_switch_needs_no_value(read: Read, argv: list[str]) -> None:
    assert read([*argv, "--executor", "inline"]).config.dry_run is True


def test_numbers_that_yaml_reads_as_text_are_numbers(read: Read) -> None:
    job = read(text="optimizer.weight_decay: 3e-5\ntraining.max_steps: 010\n")
    assert dict(job.method) == {"optimizer.weight_decay": 3e-5, "training.max_steps": 10}


def test_categories_that_yaml_would_misread_keep_their_names(read: Read) -> None:
    names = ("01", "no", "1e3", "12:30:00", "2024-01-01", "0x1F", "yes", "1_000")
    listed = f"[{', '.join(names)}]"
    assert read(["--data.categories", listed]).config.data.categories == names
    assert read(text=f"data: {{categories: {listed}}}\n").config.data.categories == names
    job = read(["--per_category.01.memory.samples", "4"], "per_category: {no: {memory.samples: 5}}")
    assert job.per_category == {"no": {"memory.samples": 5}, "01": {"memory.samples": 4}}


@pytest.mark.parametrize("name", ["..", ".", "a/b", "''"])
def test_a_category_that_is_no_folder_name_is_refused(read: Read, name: str) -> None:
    with pytest.raises(SettingError, match=r"data\.categories"):
        read(["--data.categories", f"[{name}]"])


def test_a_category_named_twice_is_refused(read: Read) -> None:
    with pytest.raises(SettingError, match="'screw' twice"):
        read(["--data.categories", "[screw, tile, screw]"])


def test_one_category_needs_brackets(read: Read) -> None:
    with pytest.raises(SettingError, match=r"data\.categories must be a list, got 'screw'"):
        read(["--data.categories", "screw"])


def test_per_category_settings_of_file_and_command_line_are_put_together(read: Read) -> None:
    text = "per_category: {screw: {memory: {samples: 50}, foreground.mode: off}}"
    job = read(["--per_category.screw.memory.samples", "60"], text)
    assert job.per_category == {"screw": {"memory.samples": 60, "foreground.mode": "off"}}
    assert job.method_for("screw", {}).memory.samples == 60
    assert job.method_for("screw", {"memory.samples": 15}).memory.samples == 15
    assert job.method_for("tile", {}).memory.samples == 30


def test_a_category_with_dots_in_its_name_has_settings_too(read: Read) -> None:
    job = read(["--per_category.m.2.memory.samples", "60"])
    assert job.per_category == {"m.2": {"memory.samples": 60}}


def test_a_setting_of_the_whole_job_is_refused_for_a_category(read: Read) -> None:
    with pytest.raises(SettingError, match="seeds is a setting of the whole job"):
        read(text="per_category: {screw: {seeds: [1]}}")


def test_grid_axes_are_typed_and_keep_their_order(read: Read) -> None:
    text = """
grid:
  optimizer: {lr: [1e-2, 0.04]}
  loss.l1_weight,loss.focal_weight: [[0.4, 0.6], [0.5, 0.5]]
"""
    assert read(text=text).grid == (
        Axis(("optimizer.lr",), ((0.01,), (0.04,))),
        Axis(("loss.l1_weight", "loss.focal_weight"), ((0.4, 0.6), (0.5, 0.5))),
    )


def test_the_command_line_changes_adds_and_drops_axes(read: Read) -> None:
    text = "grid: {optimizer.lr: [0.01], memory.samples: [15, 30]}"
    argv = ["--grid.optimizer.lr", "[0.02,0.04]", "--grid.memory.samples", "null",
            "--grid.loss.focal_gamma=[2]"]  # fmt: skip
    assert [(a.name, a.values) for a in read(argv, text).grid] == [
        ("optimizer.lr", ((0.02,), (0.04,))),
        ("loss.focal_gamma", ((2.0,),)),
    ]
    assert read(["--grid", "null"], text).grid == ()
    assert [a.name for a in read(["--grid", "{image.size: [64]}"], text).grid] == ["image.size"]


def test_a_pair_named_in_another_order_is_the_same_axis(read: Read) -> None:
    text = "grid: {'loss.l1_weight, loss.focal_weight': [[0.4, 0.6]]}"
    job = read(["--grid.loss.focal_weight,loss.l1_weight", "[[0.5, 0.7]]"], text)
    assert [a.names for a in job.grid] == [("loss.focal_weight", "loss.l1_weight")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("grid: {optimizer.lrr: [1]}", "grid.optimizer.lrr.*did you mean 'grid.optimizer.lr'"),
        ("grid: {seeds: [1]}", "unknown setting 'grid.seeds'"),
        ("grid: {optimizer.lr: 0.1}", "grid.optimizer.lr must be a list of values"),
        ("grid: {optimizer.lr: [fast]}", r"grid.optimizer.lr\[0\] must be a number, got 'fast'"),
        ("grid: {optimizer.lr: [0.1, 20]}", r"grid.optimizer.lr: .*at most 10"),
        ("grid:\n  loss.l1_weight,loss.focal_weight: [[1]]", "must be a list of 2 values"),
        ("grid:\n  loss.l1_weight,loss.l1_weight: [[1, 1]]", "names a setting twice"),
        ("grid: [1]", "grid must be a mapping"),
        (
            "grid: {loss.l1_weight: [1], 'loss.l1_weight,loss.focal_weight': [[1, 1]]}",
            "two axes",
        ),
        ("grid: {optimizer.lr: [1], optimizer: {lr: [1]}}", "set twice in one place"),
        ("optimizer.lr: 1\noptimizer: {lr: 2}", "optimizer.lr is set twice"),
        ("optimizer: 3", "optimizer is a group of settings"),
        ("training.max_step: 3", "unknown setting.*did you mean 'training.max_steps'"),
        ("training: {max_step: 3}", "unknown setting.*did you mean 'training.max_steps'"),
        ("executer: ray", "unknown setting.*did you mean 'executor'"),
        ("config: x", "config is for the command line"),
        ("training.max_steps: 1.5", "training.max_steps must be a whole number"),
        ("training.max_steps:", "training.max_steps must be a whole number, got None"),
        ("training.max_steps: 0", "training.max_steps must be at least 1, got 0"),
        ("per_category: {screw: {memory.samples: 0}}", "category 'screw': memory.samples must be"),
        ("per_category: {screw: {memory.sample: 0}}", "did you mean 'memory.samples'"),
        ("per_category: [screw]", "per_category must be a mapping"),
        ("per_category: {'..': {memory.samples: 3}}", "per_category: "),
        ("seeds: []", "seeds must hold at least one"),
        ("seeds: [-1]", "seeds must be at least 0"),
        ("preset: papr", "unknown preset 'papr'; did you mean 'paper'"),
        ("name: a/b", "name becomes a folder"),
        ("name: ..", "name becomes a folder"),
        ("address: ray://head:10001", "address must be auto or HOST:PORT"),
        ("address: head:99999", "address must be auto or HOST:PORT"),
        ("selection: oracle", "selection must be one of synthetic, test"),
        ("dry_run: maybe", "dry_run must be true or false"),
        ("data.normal: train/ok", "data.normal belongs to data.layout folder"),
        ("resources: {threads: 4, cpus_per_trial: 2}", "at least resources.threads"),
        ("resources: {autoscaled_nodes: 4}", "belong together.*4 nodes with 0 CPUs"),
        ("resources: {autoscaled_gpus: 1}", "belong together"),
        ("textures: ''", "textures must not be empty"),
        ("data: {demo: true, root: /images}", "not both"),
        ("data.demo: true\nworkspace: s3://bucket/x", "must be a local folder"),
        ("a: 1\na: 2", "line 2, column 1: 'a' stands here twice"),
        ("loss: {focal_gamma: 1, focal_gamma: 2}", "'focal_gamma' stands here twice"),
        ("- a\n- b", "must be a mapping of settings.*it is a list"),
        ("just text", "must be a mapping of settings.*it is one value"),
        ("a: [1", "is not usable YAML: line"),
        ("a: !!int 3", "is not usable YAML: line 1"),
        ("data: !!map text", "is not usable YAML: line 1"),
        ("seeds: [9223372036854775808]", "seeds.*at most 64 bits"),
        ("a: !!python/name:os.system", "is not usable YAML: line 1"),
        ("~: 3", "a name must not be empty or null"),
        ("[1, 2]: 3", "a name must be plain text"),
        ("a: 1\n---\nb: 2", "not usable YAML"),
    ],
)
def test_a_wrong_job_file_is_refused_with_its_reason(read: Read, text: str, message: str) -> None:
    with pytest.raises(SettingError, match=f"(?s){message}"):
        read(text=text)


def test_what_is_wrong_in_a_file_is_said_with_the_files_name(read: Read, tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        read(text="training.max_step: 3")
    assert str(caught.value).startswith(str(tmp_path / "line.yaml"))


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["screw"], "'screw' is not an option"),
        (["-x", "3"], "'-x' is not an option"),
        (["--"], "'--' is not an option"),
        (["--training.max_steps"], "--training.max_steps needs a value"),
        (["--training.max_steps", "--dry_run"], "--training.max_steps needs a value"),
        (["--trainin.max_steps", "3"], "did you mean 'training.max_steps'"),
        (["--dry-run", "true"], "did you mean 'dry_run'"),
        (["--seeds", "[1"], "the value of --seeds is not usable YAML"),
        (["--textures", ""], "textures must not be empty"),
        (["--per_category.screw.memory.sampels", "3"], "did you mean"),
    ],
)
def test_a_wrong_command_line_is_refused_with_its_reason(
    read: Read, argv: list[str], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        read(argv)


def test_a_setting_that_the_files_grid_would_overrule_is_refused(read: Read) -> None:
    text = "grid: {memory.samples: [15, 30]}"
    for argv in (["--memory.samples", "9"], ["--per_category.screw.memory.samples", "9"]):
        with pytest.raises(SettingError, match="would have no effect"):
            read(argv, text)
        assert read([*argv, "--grid.memory.samples", "null"], text).grid == ()


def test_a_setting_that_the_file_overrules_for_a_category_is_refused(read: Read) -> None:
    text = "per_category.screw.training.max_steps: 2700"
    with pytest.raises(SettingError, match=r"no effect for screw.*--per_category\.screw\.training"):
        read(["--training.max_steps", "5", "--grid.loss.focal_gamma", "null"], text)
    both = ["--training.max_steps", "5", "--per_category.screw.training.max_steps", "6"]
    job = read(both, text)
    assert job.method_for("screw", {}).training.max_steps == 6
    assert job.method_for("tile", {}).training.max_steps == 5


def test_what_a_merge_brings_does_not_stand_there_twice(read: Read) -> None:
    """Also where the merged mapping is itself one with a merge, and is built first."""
    job = read(
        text="""
per_category:
  screw: {memory: &s {samples: 60}}
  bolt:
    memory: &b {<<: *s, samples: 30}
  nut:
    memory: {<<: *b}
"""
    )
    samples = {n: job.method_for(n, {}).memory.samples for n in ("screw", "bolt", "nut")}
    assert samples == {"screw": 60, "bolt": 30, "nut": 30}


@pytest.mark.parametrize("given", ["x" * 300, "\0"])
def test_a_job_file_that_cannot_even_be_looked_for_is_one_message(read: Read, given: str) -> None:
    with pytest.raises(SettingError):
        read(["--config", given])


def test_text_settings_are_taken_as_they_stand(read: Read) -> None:
    job = read(["--data.root", "/a: b #c", "--textures", "[x]", "--encoder_weights", "/w: 1"])
    assert job.config.data.root == "/a: b #c"
    assert job.config.textures is not None
    assert job.config.textures.endswith("/[x]")
    assert job.config.encoder_weights == "/w: 1"


def test_a_negative_number_is_a_value(read: Read) -> None:
    job = read(["--simulation.perlin_threshold", "-0.5"])
    assert dict(job.method) == {"simulation.perlin_threshold": -0.5}


def test_a_list_as_job_file_bytes_that_are_not_text_and_a_folder_are_refused(
    tmp_path: Path,
) -> None:
    environ = {"MEMSEG_DATA_ROOT": "/images"}
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00name: \x80\x81")
    (tmp_path / "folder.yaml").mkdir()
    for name, message in (
        ("bytes.yaml", "not usable YAML"),
        ("folder.yaml", "is a folder"),
        ("absent.yaml", r"there is no job file absent.yaml\n\(no job files in"),
    ):
        with pytest.raises(SettingError, match=message):
            read_job(["--config", name], environ, tmp_path, tmp_path)
