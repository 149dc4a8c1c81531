"""Loads each input once per cluster, in Ray tasks, and hands out references to it.

Whoever gets the loader's handle imports this file, and every driver does: what decodes is imported
by the loader alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ray

from orchestrator.running.sources import Sources


@ray.remote(num_cpus=0)
class InputLoader:
    """Owns the references, and so what is behind them, for as long as the sweep runs.

    Tasks rather than ``ray.put``: what a lost node held is made again from its task. They take
    no CPU, so that they never wait for one that a waiting trial holds.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._refs: dict[tuple[Any, ...], Any] = {}

    def references(self, category: str, size: int, again: bool = False) -> dict[str, Any]:
        """References to the parts of ``Loaded`` for a category, loading what is not there yet.

        ``again``: load anew, because an attempt with what is there failed.
        """
        from orchestrator.running.inputs import (
            encoder_or_error,
            product_or_error,
            textures_or_error,
        )

        return {
            "product": self._once(again, product_or_error, category, size),
            "textures": self._once(again, textures_or_error, size),
            "encoder": self._once(again, encoder_or_error),
        }

    def forget(self, category: str) -> None:
        """Lets go of a category whose trials have all ended."""
        for key in [k for k in self._refs if k[1:2] == (category,)]:
            del self._refs[key]

    def _once(self, again: bool, function: Callable[..., Any], *args: Any) -> Any:
        key = (function.__name__, *args)
        if again or key not in self._refs:
            task = ray.remote(num_cpus=0, max_retries=3)(function)
            self._refs[key] = task.remote(self._sources, *args)
        return self._refs[key]
