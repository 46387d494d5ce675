"""Script Runner: run Python scripts, keep each run alive, and keep its record."""

#: The release, repeated in ``pyproject.toml`` and ``CHANGELOG.md``; a test compares the three.
__version__ = "0.1.0"
