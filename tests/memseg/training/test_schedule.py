import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memseg.config.method import OptimizerConfig
from memseg.training.schedule import learning_rate


def test_the_cosine_starts_at_the_rate_and_ends_near_zero() -> None:
    config = OptimizerConfig(lr=0.04)
    assert learning_rate(config, 0, 2700) == 0.04
    assert learning_rate(config, 1350, 2700) == pytest.approx(0.02)
    assert learning_rate(config, 675, 2700) == pytest.approx(0.02 * (1 + math.sqrt(0.5)))
    assert learning_rate(config, 2025, 2700) == pytest.approx(0.02 * (1 - math.sqrt(0.5)))
    assert 0 < learning_rate(config, 2699, 2700) < 1e-7


def test_warm_up_rises_in_equal_steps_to_the_cosines_start() -> None:
    config = OptimizerConfig(lr=0.1, warmup_steps=4)
    rates = [learning_rate(config, step, 20) for step in range(5)]
    assert rates == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1])
    assert learning_rate(config, 8, 20) == pytest.approx(0.05 * (1 + math.sqrt(0.5)))


@settings(max_examples=50, deadline=None)
@given(
    lr=st.floats(1e-4, 1),
    steps=st.integers(1, 3000),
    warm=st.integers(0, 100),
    at=st.floats(0, 1, exclude_max=True),
)
@example(lr=0.9899604727450227, steps=41, warm=41, at=0.984375)  # lr * 41 / 41 > lr
def test_the_rate_stays_between_zero_and_the_setting(
    lr: float, steps: int, warm: int, at: float
) -> None:
    rate = learning_rate(OptimizerConfig(lr=lr, warmup_steps=warm), math.floor(at * steps), steps)
    assert 0 <= rate <= math.nextafter(lr, 2)
