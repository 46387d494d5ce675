"""The web: HTTP, its schemas, streams and the dashboard."""
