"""MemSeg (Yang et al.): surface defect segmentation learnt from normal images alone.

The method as plain PyTorch. Nothing here knows Ray or the orchestrator, and importing
this package imports neither torch nor OpenCV: take what you need from its rooms.
"""

__version__ = "0.1.0"
