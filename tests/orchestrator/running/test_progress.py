from memseg.config import MethodConfig, build
from orchestrator.planning.trial import Inputs, Trial
from orchestrator.running import events
from orchestrator.running.events import Event
from orchestrator.running.progress import Progress, apply, begin
from orchestrator.running.view import event_line


def trial(seed: int) -> Trial:
    method = build(MethodConfig, {"training.max_steps": 100, "training.precision": "fp32"})
    return Trial("screw", seed, method, Inputs("a", "b", "c", "d"))


def started() -> tuple[Progress, str, str]:
    one, two = trial(1), trial(2)
    state = begin({"screw": 3}, {"screw": 1}, [one, two], "synthetic_score")
    for key in (one.key, two.key):
        state = apply(state, Event(events.STARTED, "screw", key))
    return state, one.key, two.key


def test_finished_trials_of_earlier_sweeps_count_as_done() -> None:
    state, _, _ = started()
    assert state.categories["screw"].done == 1
    assert state.steps_left == 200
    assert state.seconds_left is None


def test_time_left_is_steps_left_times_the_measured_step_over_the_running_trials() -> None:
    state, one, _ = started()
    state = apply(state, Event(events.PROGRESS, "screw", one, 50, {"step_seconds": 2.0}))
    assert state.steps_left == 150
    assert state.seconds_left == 150 * 2.0 / 2


def test_the_best_trial_is_the_one_with_the_largest_score() -> None:
    state, one, two = started()
    state = apply(state, Event(events.DONE, "screw", one, 100, {"synthetic_score": 0.7}))
    state = apply(
        state,
        Event(events.DONE, "screw", two, 100, {"synthetic_score": 0.6, "image_auroc": 0.99}),
    )
    row = state.categories["screw"]
    assert (row.done, row.running, row.best_score) == (3, {}, 0.7)
    assert "image_auroc" not in row.best_values


def test_a_failed_trial_is_counted_and_leaves_no_steps() -> None:
    state, one, _ = started()
    state = apply(state, Event(events.FAILED, "screw", one, text="data: broken"))
    assert state.categories["screw"].failed == 1
    assert state.steps_left == 100


def test_lines_say_what_happened_and_progress_only_now_and_then() -> None:
    state, one, _ = started()
    assert event_line(Event(events.STARTED, "screw", one), state) == f"screw {one[:8]} started"
    lines = []
    for step in range(10, 101, 10):
        event = Event(events.PROGRESS, "screw", one, step, {"loss": 0.5, "step_seconds": 1.0})
        lines.append(event_line(event, state))
        state = apply(state, event)
    assert [line is not None for line in lines] == [False, True] * 5
    failed = event_line(Event(events.FAILED, "screw", one, text="data: a.png is empty"), state)
    assert failed is not None
    assert failed.endswith("FAILED data: a.png is empty")
