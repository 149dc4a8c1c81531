"""Published models as files: manifest, sums, names. Read here, written by the orchestrator."""
