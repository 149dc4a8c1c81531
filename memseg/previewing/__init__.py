"""Foreground masks and simulated anomalies to look at, before anything is trained."""
