"""A published model on images that nobody has labelled, however many."""
