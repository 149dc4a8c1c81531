"""One optimisation step, the loop around it, and checkpoints that hold everything."""
