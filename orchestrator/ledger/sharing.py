"""Results in little memory: what trials have in common is kept once. Pure.

A hundred thousand results as they are parsed take gigabytes, most of it the same settings, names
of memory samples and package versions again and again.
"""

from __future__ import annotations

import json
import marshal
import sys
from collections.abc import Mapping
from typing import Any

COMMON = (
    "bottleneck_weights", "category", "data_licence", "encoder_weights", "git_commit", "grid",
    "hardware", "held_out", "inputs", "memory_samples", "packages", "precision", "settings",
    "undefined",
)  # fmt: skip
"""Parts of a result that many trials have alike: seeds of a point, or points of a seed."""


class Shared:
    """Values of which equal ones are one object, which nobody may change."""

    def __init__(self) -> None:
        self._by_text: dict[str, Any] = {}
        self._by_content: dict[bytes, Any] = {}

    def value(self, text: str) -> Any:
        """The value of a JSON text."""
        if text not in self._by_text:
            self._by_text[text] = json.loads(text)
        return self._by_text[text]

    def result(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """An equal result whose common parts, and names of all parts, are shared."""
        return {
            sys.intern(name): self._same(value) if name in COMMON else _named(value)
            for name, value in result.items()
        }

    def _same(self, value: Any) -> Any:
        # Version 2 writes no references: equal content gives equal bytes, ten times as fast as
        # JSON. The bytes never leave this process.
        return self._by_content.setdefault(marshal.dumps(value, 2), value)


def text_of(value: Any) -> str:
    """Short JSON in ASCII that is read as an equal value again."""
    return _TEXT.encode(value)


_TEXT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)


def _named(value: Any) -> Any:
    if isinstance(value, dict):
        return {sys.intern(name): inner for name, inner in value.items()}
    return value
