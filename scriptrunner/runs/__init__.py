"""The record of runs: what was asked, what happened, what came of it."""
