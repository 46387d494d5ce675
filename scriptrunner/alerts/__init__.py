"""Alerts: triggered rules, the channels they are told by, and the outbox in between."""
