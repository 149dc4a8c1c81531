"""Pictures of results, without torch."""
