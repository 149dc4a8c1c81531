import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.simulation.blending import noise_foreground, superimpose


def slow(image, noise, mask, delta):  # type: ignore[no-untyped-def]
    """Equations 1 and 2 for one image, element by element, in double precision."""
    result = np.zeros(image.shape)
    for channel, y, x in np.ndindex(*image.shape):
        m, i, n = float(mask[y, x]), float(image[channel, y, x]), float(noise[channel, y, x])
        foreground = delta * (m * n) + (1 - delta) * (m * i)
        result[channel, y, x] = (1 - m) * i + foreground
    return result


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_blending_equals_equations_1_and_2_element_by_element(seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    images, noise = torch.rand(2, 3, 3, 6, 6, generator=random)
    masks = (torch.rand(3, 6, 6, generator=random) > 0.6).float()
    delta = torch.rand(3, generator=random)
    found = superimpose(images, noise_foreground(images, noise, masks, delta), masks)
    for i in range(3):
        expected = slow(images[i], noise[i], masks[i], float(delta[i]))
        np.testing.assert_allclose(found[i], expected, atol=1e-6)


def test_the_background_is_counted_once_and_comes_back_bit_for_bit() -> None:
    images = torch.full((1, 3, 4, 4), 0.7)
    masks = torch.zeros(1, 4, 4)
    foreground = noise_foreground(images, torch.ones_like(images), masks, torch.tensor([0.5]))
    assert foreground.eq(0).all()
    assert torch.equal(superimpose(images, foreground, masks), images)


def test_full_opacity_shows_the_noise_alone_and_none_the_image() -> None:
    images, noise = torch.rand(2, 2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    masks = torch.ones(2, 4, 4)
    found = superimpose(
        images, noise_foreground(images, noise, masks, torch.tensor([1.0, 0.0])), masks
    )
    assert torch.equal(found[0], noise[0])
    assert torch.equal(found[1], images[1])


def test_white_on_white_stays_white() -> None:
    """delta + (1 - delta) is not always 1 in single precision."""
    white = torch.ones(1000, 3, 1, 1)
    delta = torch.rand(1000, generator=torch.Generator().manual_seed(0))
    masks = torch.ones(1000, 1, 1)
    assert superimpose(white, noise_foreground(white, white, masks, delta), masks).max() <= 1
