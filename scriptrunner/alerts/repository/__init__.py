"""SQL of alerts: what was triggered, the outbox of deliveries, and what is muted."""
