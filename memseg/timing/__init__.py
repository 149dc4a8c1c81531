"""How fast a model is, and what it computes (section 4.8)."""
