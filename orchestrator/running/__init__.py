"""Runs trials: the function that trains one, and the executors that call it (inline, Ray)."""
