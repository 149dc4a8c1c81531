"""Plans, runs and collects MemSeg trainings for many product lines. Ray only in `running`."""
