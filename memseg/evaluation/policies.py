"""Names of the policies that choose thresholds. Imports no torch: exported files have them too."""

RATE, BEST_F1 = "false_positive_rate", "best_f1_synthetic"
POLICIES = (RATE, BEST_F1)
"""In the order of preference."""
UNITS = ("image", "pixel")
