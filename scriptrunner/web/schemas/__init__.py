"""The shapes of requests, checked, and of answers, described."""
