"""Loads each input once per cluster, in Ray tasks, and hands out references to it.

Whoever gets the loader's handle imports this file, and every driver does: what decodes is imported
by the loader alone.
"""

from __future__ import annotations

import time
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
        self._refs: dict[tuple[Any, ...], tuple[int, Any]] = {}
        # Grows also where this process is started again: what is remembered from before is older.
        self._loads = time.time_ns()

    def references(
        self, category: str, size: int, failed_with: int = 0
    ) -> tuple[dict[str, Any], int]:
        """References to the parts of ``Loaded`` for a category, loading what is not there yet.

        And the newest load's number. ``failed_with``: that number as an attempt got it that failed
        for what was there: what is no newer is loaded anew, once for all attempts that failed with
        it.
        """
        from orchestrator.running.inputs import (
            encoder_or_error,
            product_or_error,
            textures_or_error,
        )

        found = {
            "product": self._once(failed_with, product_or_error, category, size),
            "textures": self._once(failed_with, textures_or_error, size),
            "encoder": self._once(failed_with, encoder_or_error),
        }
        return found, self._loads

    def forget(self, category: str) -> None:
        """Lets go of a category whose trials have all ended."""
        for key in [k for k in self._refs if k[1:2] == (category,)]:
            del self._refs[key]

    def _once(self, failed_with: int, function: Callable[..., Any], *args: Any) -> Any:
        key = (function.__name__, *args)
        load, reference = self._refs.get(key, (0, None))
        if load <= failed_with:
            task = ray.remote(num_cpus=0, max_retries=3)(function)
            reference = task.remote(self._sources, *args)
            self._loads += 1
            self._refs[key] = (self._loads, reference)
        return reference
