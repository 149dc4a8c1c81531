"""From a version in the registry to a file for other programs."""
