"""Routes: parse, one call of a service, answer."""
