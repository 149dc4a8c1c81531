"""The loop: resumed equals uninterrupted, reports, divergence."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch

from memseg.errors import DivergedError, StorageError
from memseg.model.network import MemSegNet
from memseg.simulation.batches import batch_indices
from memseg.training.checkpoint import pack, unpack
from memseg.training.intervals import Intervals
from memseg.training.loop import make_batch, train
from memseg.training.step import make_optimizer, train_step
from tests.memseg.training.conftest import make_bench
from tests.memseg.training.silent import NoCheckpoints, SilentReporter


class Kept:
    """Checkpoints in memory."""

    def __init__(self, data: bytes | None = None) -> None:
        self.data, self.steps = data, []  # type: ignore[var-annotated]
        self.discarded = False

    def load(self) -> bytes | None:
        return self.data

    def save(self, step: int, data: bytes) -> None:
        self.data = data
        self.steps.append(step)

    def discard(self) -> None:
        self.data, self.discarded = None, True


class Told:
    """Remembers what it was told."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.losses: list[float] = []
        self.events: list[str] = []
        self.stop_at = stop_at

    def progress(self, step: int, values: Mapping[str, float]) -> None:
        self.losses.append(values["loss"])
        if step == self.stop_at:
            raise KeyboardInterrupt

    def event(self, message: str) -> None:
        self.events.append(message)


def run(bench, reporter=None, checkpoints=None) -> MemSegNet:  # type: ignore[no-untyped-def]
    network = bench.network()
    train(
        network,
        bench.data,
        bench.simulator(),
        bench.config,
        3,
        bench.execution,
        reporter or SilentReporter(),
        checkpoints or NoCheckpoints(),
        Intervals(report_steps=1, checkpoint_steps=2),
    )
    return network


def assert_same_state(one: MemSegNet, other: MemSegNet) -> None:
    first, second = one.state_dict(), other.state_dict()
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.mark.parametrize(
    "settings",
    [{}, {"optimizer__momentum": 0}, {"optimizer__name": "adamw", "optimizer__lr": 0.001}],
    ids=["sgd", "no momentum", "adamw"],
)
def test_stopped_and_resumed_equals_uninterrupted_bit_for_bit(settings: dict[str, object]) -> None:
    bench = make_bench(**settings)
    whole = run(bench)
    kept = Kept()
    with pytest.raises(KeyboardInterrupt):
        run(bench, Told(stop_at=5), kept)
    assert kept.steps == [2, 4]
    told = Told()
    resumed = run(bench, told, kept)
    assert told.events == ["goes on from step 4"]
    assert len(told.losses) == 2
    assert_same_state(whole, resumed)


def test_momentum_comes_back_in_its_parameters_memory_layout(bench) -> None:  # type: ignore[no-untyped-def]
    network = bench.network()
    optimizer = make_optimizer(bench.config.optimizer, network.trainable_parameters())
    images, target = make_batch(bench.data, bench.simulator(), bench.config, 3, 0, bench.execution)
    train_step(network, optimizer, images, target, bench.config.loss, bench.execution)
    data = pack(network, optimizer, 1)
    again = bench.network()
    other = make_optimizer(bench.config.optimizer, again.trainable_parameters())
    assert unpack(data, again, other) == 1
    for one, two in zip(optimizer.param_groups[0]["params"], other.param_groups[0]["params"]):
        kept = other.state[two]["momentum_buffer"]
        assert torch.equal(optimizer.state[one]["momentum_buffer"], kept)
        assert kept.stride() == two.stride()


def test_a_checkpoint_without_its_optimiser_state_is_refused_whole(bench) -> None:  # type: ignore[no-untyped-def]
    network = bench.network()
    optimizer = make_optimizer(bench.config.optimizer, network.trainable_parameters())
    data = pack(network, optimizer, 1)  # no step was made: there is no momentum
    again = run(bench)
    before = {name: value.clone() for name, value in again.state_dict().items()}
    other = make_optimizer(bench.config.optimizer, again.trainable_parameters())
    with pytest.raises(StorageError, match="optimiser state of 0 of"):
        unpack(data, again, other)
    for name, value in again.state_dict().items():
        assert torch.equal(value, before[name])


def test_an_unreadable_checkpoint_is_said_and_training_starts_again(bench) -> None:  # type: ignore[no-untyped-def]
    told = Told()
    kept = Kept(b"not a checkpoint")
    again = run(bench, told, kept)
    assert kept.discarded
    assert "starting again from step 0" in told.events[0]
    assert_same_state(run(bench), again)


def test_training_changes_what_is_trainable_and_nothing_that_is_frozen(bench) -> None:  # type: ignore[no-untyped-def]
    before, after = bench.network().state_dict(), run(bench).state_dict()
    trained = {id(p) for p in bench.network().trainable_parameters()}
    assert trained
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    frozen = {name for name in before if name.startswith(("trunk.", "memory."))}
    assert changed
    assert frozen
    assert not changed & frozen


def test_a_batch_is_one_half_normal_and_one_half_simulated(bench) -> None:  # type: ignore[no-untyped-def]
    images, target = make_batch(bench.data, bench.simulator(), bench.config, 3, 5, bench.execution)
    assert images.shape == (4, 3, 64, 64)
    assert images.min() >= 0
    assert images.max() <= 1
    assert not target[:2].any()
    assert target[2:].flatten(1).any(1).all()
    known = (bench.data.images.float() / 255).flatten(1)
    for image in images[:2].flatten(1):
        assert (known == image).all(1).any()


def test_a_loss_that_is_not_finite_is_a_diverged_run(bench, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    import memseg.training.loop as loop

    def broken(*args: object) -> loop.LossTerms:
        return loop.LossTerms(*(torch.tensor(float("nan")),) * 3)

    monkeypatch.setattr(loop, "train_step", broken)
    with pytest.raises(DivergedError, match=r"step 1 .*lower the learning rate"):
        run(bench)


class At:
    """A gate at some steps that lets a run go on until one of them."""

    def __init__(self, *steps: int, stop: int | None = None) -> None:
        self.steps, self.stop, self.asked = steps, stop, list[int]()

    def passes(self, step: int) -> bool:
        self.asked.append(step)
        return step != self.stop


def gated(bench, gate, checkpoints=None):  # type: ignore[no-untyped-def]
    network = bench.network()
    summary = train(
        network, bench.data, bench.simulator(), bench.config, 3, bench.execution,
        SilentReporter(), checkpoints or NoCheckpoints(), Intervals(checkpoint_steps=100), gate,
    )  # fmt: skip
    return network, summary


def test_a_gate_that_is_passed_changes_nothing(bench) -> None:  # type: ignore[no-untyped-def]
    gate = At(2, 4, 6)
    network, summary = gated(bench, gate)
    assert (gate.asked, summary.stopped_at) == ([2, 4], None)  # the last step ends it anyway
    assert_same_state(network, run(bench))


def test_a_gate_ends_a_run_which_can_go_on_without_it(bench) -> None:  # type: ignore[no-untyped-def]
    kept = Kept()
    _, summary = gated(bench, At(2, 4, stop=4), kept)
    assert summary.stopped_at == 4
    assert kept.steps == [2, 4]
    network, again = gated(bench, None, kept)
    assert (again.resumed_at, again.stopped_at) == (4, None)
    assert_same_state(network, run(bench))


def test_a_run_that_was_killed_at_its_gate_is_looked_at_again(bench) -> None:  # type: ignore[no-untyped-def]
    class Killed(At):
        def passes(self, step: int) -> bool:
            raise KeyboardInterrupt

    kept = Kept()
    with pytest.raises(KeyboardInterrupt):
        gated(bench, Killed(3), kept)
    gate = At(3, stop=3)
    _, summary = gated(bench, gate, kept)
    assert (gate.asked, summary.resumed_at, summary.stopped_at) == ([3], 3, 3)


class Looks:
    """A judge that remembers what it saw, and uses the network as evaluations do."""

    def __init__(self, network: MemSegNet, *steps: int) -> None:
        self.network, self.steps = network, steps
        self.seen: dict[int, torch.Tensor] = {}

    def look(self, step: int) -> None:
        self.network.eval()
        with torch.no_grad():
            self.network(torch.zeros(2, 3, 64, 64))
        self.network.train()
        self.seen[step] = self.network.decoder.head[-1].bias.detach().clone()


def judged(bench, kept, reporter=None):  # type: ignore[no-untyped-def]
    network = bench.network()
    judge = Looks(network, 2, 3, 6)
    with contextlib.suppress(KeyboardInterrupt):
        train(
            network, bench.data, bench.simulator(), bench.config, 3, bench.execution,
            reporter or SilentReporter(), kept, Intervals(report_steps=1, checkpoint_steps=3),
            judge=judge,
        )  # fmt: skip
    return network, judge


def test_a_judge_sees_its_steps_and_changes_nothing(bench) -> None:  # type: ignore[no-untyped-def]
    network, judge = judged(bench, NoCheckpoints())
    assert list(judge.seen) == [2, 3, 6]
    assert not torch.equal(judge.seen[2], judge.seen[3])
    assert_same_state(network, run(bench))


def test_a_run_that_goes_on_has_had_its_checkpoints_step_judged(bench) -> None:  # type: ignore[no-untyped-def]
    _, whole = judged(bench, NoCheckpoints())
    kept = Kept()
    _, before = judged(bench, kept, Told(stop_at=5))
    _, after = judged(bench, kept)
    assert (list(before.seen), kept.steps, list(after.seen)) == ([2, 3], [3], [6])
    assert torch.equal(after.seen[6], whole.seen[6])


def test_a_loss_that_is_not_finite_is_found_before_a_step_is_judged(bench, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    import memseg.training.loop as loop

    def broken(*args: object) -> loop.LossTerms:
        return loop.LossTerms(*(torch.tensor(float("nan")),) * 3)

    monkeypatch.setattr(loop, "train_step", broken)
    judge = Looks(bench.network(), 2)
    with pytest.raises(DivergedError, match="step 2 "):
        train(
            bench.network(), bench.data, bench.simulator(), bench.config, 3, bench.execution,
            SilentReporter(), NoCheckpoints(), Intervals(report_steps=100), judge=judge,
        )  # fmt: skip
    assert not judge.seen


def test_anomalies_lie_in_the_foreground_of_the_image_that_they_are_made_of() -> None:
    bench = make_bench()
    foregrounds = torch.zeros(6, 64, 64, dtype=torch.bool)
    for i in range(6):
        foregrounds[i, :, 10 * i : 10 * i + 10] = True
    data = replace(bench.data, foregrounds=foregrounds)
    for step in range(4):
        _, target = make_batch(data, bench.simulator(), bench.config, 3, step, bench.execution)
        sources = batch_indices(6, 3, "anomalous", step, range(2))
        for mask, source in zip(target[2:], sources):
            assert mask.any()
            assert not mask.bool()[~foregrounds[source]].any()
