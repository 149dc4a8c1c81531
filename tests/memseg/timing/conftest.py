"""The small published model of the predictions' tests."""

from tests.memseg.prediction.conftest import network, publish, whole

__all__ = ["network", "publish", "whole"]
