"""The history of the schema, forward only: what was released is never edited."""
