"""Anomaly maps of many images, and how good they are."""
