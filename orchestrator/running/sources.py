"""Where a sweep's inputs come from. Imports nothing heavy: drivers have it too."""

from __future__ import annotations

from dataclasses import dataclass

from memseg.data.layouts import LayoutConfig
from orchestrator.job.layouts import layout_of
from orchestrator.job.settings import JobConfig


@dataclass(frozen=True)
class Sources:
    """Small, and the same for all trials of a sweep."""

    root: str
    layout: LayoutConfig
    textures: str | None
    """None: textures drawn by the code."""
    encoder_weights: str


def sources_of(config: JobConfig) -> Sources:
    """Those of a job."""
    return Sources(
        root=str(config.data.root),
        layout=layout_of(config.data),
        textures=config.textures,
        encoder_weights=config.encoder_weights,
    )
