"""The database: one engine, its tables, and their migrations."""
