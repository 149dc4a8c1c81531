"""How good anomaly maps are: exact image and pixel metrics, NumPy in, floats out."""
