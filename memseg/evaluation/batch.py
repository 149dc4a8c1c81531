"""Images at once in evaluation. Imports no torch: exported models are run by the same number."""

BATCH = 8
"""Fixed, because other batch sizes may round differently."""
