"""The decoder (section 4.2, figure 2) against plain numpy in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from memseg.model import decoder
from memseg.model.decoder import Decoder
from tests.memseg.model.test_fusion import Array, block, close, convolve, made, twice

STAGES = ((8, 6, 5, 6), (6, 4, 3, 4), (4, 3, 2, 3), (3, 2, 4, 3))
"""As the real ones: channels in, after up-sampling, of the skip, and out; fewer of each."""


def test_each_stage_doubles_the_side_and_joins_its_skip_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoder, "_STAGES", STAGES)
    monkeypatch.setattr(decoder, "_LAST", (3, 2))
    module, state = made(Decoder)
    random = np.random.default_rng(0)
    bottleneck = random.normal(size=(8, 1, 1))
    skips = [random.normal(size=(s, 2 << i, 2 << i)) for i, (_, _, s, _) in enumerate(STAGES)]

    x: Array = bottleneck
    for i, skip in enumerate(skips):
        risen = block(twice(x), state, f"rise.{i}")
        x = block(block(np.concatenate([risen, skip]), state, f"join.{i}.0"), state, f"join.{i}.1")
    x = block(twice(x), state, "rise_last")
    for i in range(3):
        x = block(x, state, f"head.{i}")
    expected = convolve(x, state["head.3.weight"]) + state["head.3.bias"][:, None, None]

    with torch.no_grad():
        found = module(
            torch.from_numpy(bottleneck)[None], [torch.from_numpy(skip)[None] for skip in skips]
        )
    assert found.shape == (1, 2, 32, 32)
    assert close(found, [expected])
