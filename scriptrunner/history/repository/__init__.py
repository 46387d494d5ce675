"""The SQL of the history; the same on the service's database and on history files."""
