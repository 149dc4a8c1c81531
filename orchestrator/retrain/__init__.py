"""Retraining: what changed since the registry's models were made, and who becomes champion."""
