"""The training curve that goes with a model."""

from __future__ import annotations

from orchestrator.registry.curve import Point, parse_curve
from orchestrator.running.losses import LossCurve
from tests.memseg.training.silent import SilentReporter


def test_the_registry_reads_what_a_trial_writes() -> None:
    curve = LossCurve(SilentReporter())
    assert curve.to_csv() is None
    curve.progress(20, {"loss": 0.123456789, "l1": 0.2, "focal": 1e-9, "step_seconds": 3.0})
    curve.event("resumed")
    curve.progress(40, {"loss": 0.1, "l1": 0.1, "focal": 0.0})
    data = curve.to_csv()
    assert data == b"step,loss,l1,focal\n20,0.123457,0.2,1e-09\n40,0.1,0.1,0\n"
    assert parse_curve(data)[0] == Point(20, 0.123457, 0.2, 1e-9)
    assert len(parse_curve(data)) == 2


def test_what_reports_no_losses_has_no_curve() -> None:
    curve = LossCurve(SilentReporter())
    curve.progress(1, {"step_seconds": 1.0})
    assert curve.to_csv() is None
