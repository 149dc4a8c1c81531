"""The most used public training code of MemSeg (TooTouch/MemSeg), to stand beside ours."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.aggregation.published import PaperResult, public_code

LAST_STEP: Mapping[str, PaperResult] = public_code("last_step")
"""Image and pixel AUROC on MVTec AD at its last step (5000): nothing is chosen by the test set.

Its better known figures (98.30 and 94.96 on average) are the best of 50 evaluations *on the test
set* and are not shown as its result.
"""
