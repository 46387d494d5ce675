"""The SQL of the library, a module per subject; private to the library."""
