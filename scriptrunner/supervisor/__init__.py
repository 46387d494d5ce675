"""The supervisor: many runs at once, kept alive whatever is killed."""
