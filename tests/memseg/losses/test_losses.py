"""The training loss against the paper's equations, pixel by pixel."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.config.method import LossConfig
from memseg.losses.losses import LossTerms, memseg_loss


def slow_loss(
    logits: torch.Tensor, target: torch.Tensor, config: LossConfig
) -> tuple[float, float, float]:
    """Eq. 8 to 10 as they are written, one pixel at a time, in double precision."""
    l1, focal = [], []
    for b in range(logits.shape[0]):
        for row in range(logits.shape[2]):
            for column in range(logits.shape[3]):
                normal, anomalous = (float(v) for v in logits[b, :, row, column])
                p = 1 / (1 + math.exp(normal - anomalous))
                s = float(target[b, row, column])
                l1.append(abs(s - p))
                if s == 1:
                    p_t, alpha = p, config.focal_alpha_abnormal
                else:
                    p_t, alpha = 1 - p, config.focal_alpha_normal
                focal.append(-alpha * (1 - p_t) ** config.focal_gamma * math.log(p_t))
    first, second = sum(l1) / len(l1), sum(focal) / len(focal)
    return config.l1_weight * first + config.focal_weight * second, first, second


def numbers(terms: LossTerms) -> tuple[float, float, float]:
    return terms.total.item(), terms.l1.item(), terms.focal.item()


def random_batch(seed: int, scale: float, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    random = np.random.default_rng(seed)
    logits = torch.from_numpy(random.normal(0, scale, (2, 2, 5, 4)))
    target = torch.from_numpy((random.random((2, 5, 4)) < share).astype(np.float64))
    return logits, target


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(0.01, 3),  # beyond, 1 - p of the reference itself loses digits
    share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    gamma=st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0, 5.0]),
    alphas=st.tuples(st.floats(0, 3), st.floats(0, 3)),
    weights=st.tuples(st.floats(0, 2), st.floats(0.1, 2)),
)
def test_the_loss_is_that_of_the_equations(
    seed: int,
    scale: float,
    share: float,
    gamma: float,
    alphas: tuple[float, float],
    weights: tuple[float, float],
) -> None:
    logits, target = random_batch(seed, scale, share)
    config = LossConfig(
        l1_weight=weights[0],
        focal_weight=weights[1],
        focal_gamma=gamma,
        focal_alpha_normal=alphas[0],
        focal_alpha_abnormal=alphas[1],
    )
    found = numbers(memseg_loss(logits, target, config))
    assert found == pytest.approx(slow_loss(logits, target, config), rel=1e-9, abs=1e-12)


def test_one_undecided_pixel_by_hand() -> None:
    terms = memseg_loss(torch.zeros(1, 2, 1, 1), torch.ones(1, 1, 1), LossConfig())
    assert float(terms.l1) == pytest.approx(0.5)
    assert float(terms.focal) == pytest.approx(1.2 * 0.5**4 * math.log(2))
    assert float(terms.total) == pytest.approx(0.6 * 0.5 + 0.4 * 1.2 * 0.5**4 * math.log(2))


def test_only_anomalous_pixels_take_the_abnormal_alpha() -> None:
    logits = torch.zeros(1, 2, 1, 2)
    config = LossConfig(focal_alpha_normal=0.0, focal_alpha_abnormal=2.0, focal_gamma=0.0)
    half = memseg_loss(logits, torch.tensor([[[0.0, 1.0]]]), config)
    none = memseg_loss(logits, torch.zeros(1, 1, 2), config)
    assert float(half.focal) == pytest.approx(math.log(2))
    assert float(none.focal) == 0


def test_channel_one_is_anomalous() -> None:
    logits = torch.zeros(1, 2, 1, 1)
    logits[:, 1] = 9
    right = memseg_loss(logits, torch.ones(1, 1, 1), LossConfig())
    wrong = memseg_loss(logits, torch.zeros(1, 1, 1), LossConfig())
    assert float(right.total) < 1e-3
    assert float(wrong.total) > 0.6


def test_a_loss_with_weight_zero_leaves_the_other_its_own_weight() -> None:
    logits, target = random_batch(1, 2.0, 0.5)
    l1_only = memseg_loss(logits, target, LossConfig(focal_weight=0.0))
    focal_only = memseg_loss(logits, target, LossConfig(l1_weight=0.0))
    assert float(l1_only.total) == pytest.approx(0.6 * float(l1_only.l1))
    assert float(focal_only.total) == pytest.approx(0.4 * float(focal_only.focal))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 4.0])
def test_the_gradient_is_that_of_finite_differences(gamma: float) -> None:
    logits, target = (part[:1, ..., :2, :2].clone() for part in random_batch(2, 3.0, 0.4))
    assert 0 < target.sum() < target.numel()
    config = LossConfig(focal_gamma=gamma)
    assert torch.autograd.gradcheck(
        lambda z: memseg_loss(z, target, config).total, logits.requires_grad_()
    )


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 4.0])
@pytest.mark.parametrize("size", [0.0, 1.0, 90.0, 1e4, 1e30])
def test_extreme_logits_give_finite_values_and_gradients(gamma: float, size: float) -> None:
    signs = torch.tensor([[-1.0, 1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, -1.0]])
    logits = (size * signs).reshape(4, 2, 1, 1).repeat(1, 1, 1, 2).requires_grad_()
    target = torch.tensor([0.0, 1.0]).repeat(4, 1).reshape(4, 1, 2)
    terms = memseg_loss(logits, target, LossConfig(focal_gamma=gamma))
    terms.total.backward()
    assert all(math.isfinite(value) for value in numbers(terms))
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_a_pixel_that_is_surely_wrong_still_pulls_the_logits() -> None:
    logits = torch.zeros(1, 2, 1, 1)
    logits[:, 0] = 200
    logits.requires_grad_()
    memseg_loss(logits, torch.ones(1, 1, 1), LossConfig()).total.backward()
    assert logits.grad is not None
    assert logits.grad.flatten().tolist() == pytest.approx([0.48, -0.48])


def test_a_small_error_keeps_its_digits_in_float32() -> None:
    logits = torch.tensor([0.0, 30.0]).reshape(1, 2, 1, 1)
    terms = memseg_loss(logits, torch.ones(1, 1, 1), LossConfig())
    assert float(terms.l1) == pytest.approx(math.exp(-30) / (1 + math.exp(-30)), rel=1e-5)


@pytest.mark.parametrize("inside", [True, False])
def test_autocast_does_not_change_the_precision(inside: bool) -> None:
    logits, target = random_batch(3, 3.0, 0.3)
    small = logits.to(torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=inside):
        terms = memseg_loss(small, target.float(), LossConfig())
    assert {value.dtype for value in (terms.total, terms.l1, terms.focal)} == {torch.float32}
    expected = slow_loss(small.double(), target, LossConfig())
    assert numbers(terms) == pytest.approx(expected, rel=1e-5)


def test_bool_masks_and_the_channels_last_layout_change_nothing() -> None:
    logits, target = random_batch(4, 3.0, 0.3)
    plain = memseg_loss(logits, target, LossConfig())
    other = memseg_loss(logits.to(memory_format=torch.channels_last), target.bool(), LossConfig())
    assert numbers(other) == pytest.approx(numbers(plain), rel=1e-12)


def test_logits_that_are_not_finite_are_not_hidden() -> None:
    logits = torch.zeros(1, 2, 2, 2)
    logits[0, 1, 0, 0] = math.nan
    terms = memseg_loss(logits, torch.zeros(1, 2, 2), LossConfig())
    assert all(math.isnan(value) for value in numbers(terms))


@pytest.mark.parametrize(
    ("logits", "target"),
    [
        ((2, 2, 4, 4), (2, 1, 4, 4)),
        ((2, 2, 4, 4), (1, 4, 4)),
        ((2, 2, 4, 4), (2, 4, 1)),
        ((2, 1, 4, 4), (2, 4, 4)),
        ((2, 4, 4), (4, 4)),
        ((0, 2, 4, 4), (0, 4, 4)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    logits: tuple[int, ...], target: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="got"):
        memseg_loss(torch.zeros(logits), torch.zeros(target), LossConfig())
