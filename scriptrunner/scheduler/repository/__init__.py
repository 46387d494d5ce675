"""SQL of the scheduler: tasks, their fires, events. Private to the scheduler."""
