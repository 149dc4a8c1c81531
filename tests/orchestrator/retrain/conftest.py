"""Versions to look at."""

from tests.orchestrator.registry.conftest import files_of, result_of

__all__ = ["files_of", "result_of"]
