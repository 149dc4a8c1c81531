"""The most used public training code of MemSeg (TooTouch/MemSeg), to stand beside ours.

Image and pixel AUROC on MVTec AD, fractions, at its last step (5000): nothing is chosen by the
test set there. Its better known figures (98.30 and 94.96 on average) are the best of 50
evaluations *on the test set* and are not shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.aggregation.paper import PaperResult

LAST_STEP: Mapping[str, PaperResult] = {
    "carpet": PaperResult(0.9226, 0.9522),
    "grid": PaperResult(0.9950, 0.9839),
    "leather": PaperResult(1.0000, 0.9807),
    "tile": PaperResult(0.9968, 0.9954),
    "wood": PaperResult(0.9991, 0.9721),
    "bottle": PaperResult(1.0000, 0.9810),
    "cable": PaperResult(0.8967, 0.7629),
    "capsule": PaperResult(0.9509, 0.9818),
    "hazelnut": PaperResult(1.0000, 0.9531),
    "metal_nut": PaperResult(0.9912, 0.8702),
    "pill": PaperResult(0.9735, 0.9837),
    "screw": PaperResult(0.9322, 0.9422),
    "toothbrush": PaperResult(1.0000, 0.9930),
    "transistor": PaperResult(0.9567, 0.7424),
    "zipper": PaperResult(0.9995, 0.9774),
}
