"""One file per step of the schema: ``NNNN_what.py``."""
