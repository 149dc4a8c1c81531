"""Models for other programs: ONNX files, their check against PyTorch, and what runs them.

``metadata``, ``wire`` and ``onnx_model`` import no torch: they are all that a machine needs which
runs an exported file.
"""
