"""Tasks that start scripts by time, by event and by other tasks, exactly once."""
