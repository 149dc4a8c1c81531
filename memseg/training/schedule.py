"""The learning rate over a run. Pure."""

from __future__ import annotations

import math

from memseg.config.method import OptimizerConfig


def learning_rate(config: OptimizerConfig, step: int, max_steps: int) -> float:
    """Rate of step 0 <= ``step`` < ``max_steps``: linear warm-up, then one cosine to 0."""
    if step < config.warmup_steps:
        return config.lr * (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, max_steps - config.warmup_steps)
    return config.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
