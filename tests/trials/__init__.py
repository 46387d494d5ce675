"""Experiments that settle a decision: run by hand, their results kept in ``docs/adr``."""
