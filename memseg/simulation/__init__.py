"""Simulated anomalies (section 3.1): masks, noise images and what is made of them."""
