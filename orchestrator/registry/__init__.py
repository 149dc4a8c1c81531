"""The registry: immutable model versions of each category, and which one is its champion."""
