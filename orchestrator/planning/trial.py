"""A trial and its identity."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

from memseg.config import METHOD_VERSION, MethodConfig, build
from orchestrator.planning.grid import configuration

_EVALUATION_ONLY = (
    "evaluation.", "validation.anomalies", "validation.contrast", "validation.shape_size",
    "validation.turned", "validation.place",
)  # fmt: skip
"""How names begin of settings that weights do not depend on; what is held out they do."""

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True)
class Inputs:
    """What a trial computes from, by content."""

    train_fingerprint: str
    test_fingerprint: str
    textures: str
    """Fingerprint of the texture folder, or "procedural:1" for textures drawn by the code."""
    encoder_weights: str
    """"sha256:<hex>" of a file, "imagenet:<hash in torchvision's file name>", or "random"."""
    start: str | None = None
    """"sha256:<hex>" of the weights that training starts from; None: from the encoder's alone."""

    def to_json(self) -> dict[str, str]:
        """For keys and results; what is None is left out, so that keys made before it stay."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Trial:
    """One training: a category with its whole resolved configuration, seed and inputs."""

    category: str
    seed: int
    method: MethodConfig
    """Resolved: training.precision is fp32 or bf16, never auto."""
    inputs: Inputs
    grid: Mapping[str, Any] = field(default_factory=dict)
    """The grid's values of this trial by dotted name; they are in ``method`` too."""
    start_version: str | None = None
    """The registry's version that has the weights ``inputs.start``. Not in the key: they are."""

    @property
    def settings(self) -> dict[str, Any]:
        """All settings by dotted name; tuples as lists, as in JSON."""
        return _plain_settings(self.method)

    @cached_property
    def key(self) -> str:
        """Same key, same result: a hash of everything that the numbers depend on.

        A setting that has its default is not in it, so that an option which is added later,
        with a default that changes nothing, leaves finished trials found. Another default is
        another METHOD_VERSION.
        """
        return _digest(self._identity(self._chosen()))

    @cached_property
    def training_key(self) -> str:
        """Like ``key`` without what only evaluation depends on: same weights."""
        chosen, chooser = self._chosen(), self.method.training.reported_step
        if chooser == "test":
            return self.key
        if chooser == "last":  # else what is evaluated, and how, chooses the weights
            chosen = {n: v for n, v in chosen.items() if not n.startswith(_EVALUATION_ONLY)}
        identity = self._identity(chosen)
        del identity["inputs"]["test_fingerprint"]
        return _digest(identity)

    @cached_property
    def configuration(self) -> str:
        """What seeds, and trials of other categories, have in common: see planning.grid."""
        # Many trials share one: one text in memory for all of them.
        return sys.intern(configuration(self.grid))

    @property
    def name(self) -> str:
        """For people and for Ray's run names: category and key."""
        return f"{self.category}-{self.key}"

    def _chosen(self) -> dict[str, Any]:
        default = _default_method().by_name
        return {
            name: _plain(value)
            for name, value in self.method.by_name.items()
            if value != default[name]
        }

    def _identity(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "category": self.category,
            "seed": self.seed,
            "settings": settings,
            "inputs": self.inputs.to_json(),
            "method_version": METHOD_VERSION,
        }

    def to_json(self) -> dict[str, Any]:
        """Everything, for plan.json; ``from_json`` reads it."""
        return {
            **self._identity(self.settings),
            "grid": {name: _plain(value) for name, value in self.grid.items()},
            **({"start_version": self.start_version} if self.start_version else {}),
            "key": self.key,
            "training_key": self.training_key,
        }


def from_json(value: Mapping[str, Any]) -> Trial:
    """The trial that ``Trial.to_json`` wrote."""
    return Trial(
        category=value["category"],
        seed=value["seed"],
        method=build(MethodConfig, value["settings"]),
        inputs=Inputs(**value["inputs"]),
        grid=dict(value["grid"]),
        start_version=value.get("start_version"),
    )


@cache
def default_settings() -> Mapping[str, Any]:
    """The default of each setting by dotted name, as in ``Trial.settings``. Not to be changed."""
    return MappingProxyType(_plain_settings(_default_method()))


@cache
def _default_method() -> MethodConfig:
    return MethodConfig()


def _plain_settings(method: MethodConfig) -> dict[str, Any]:
    return {name: _plain(value) for name, value in method.by_name.items()}


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, (tuple, list)) else value


def _digest(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(_CANONICAL.encode(identity).encode()).hexdigest()[:20]
