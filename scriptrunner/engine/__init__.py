"""The engine: everything about one script and one run of it, without database or HTTP."""
