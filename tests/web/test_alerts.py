"""``/api/alerts``: what was triggered, the channels, and the topic of the stream."""

import pytest

pytestmark = pytest.mark.usefixtures("web")


def test_there_are_no_alerts_at_first(web):
    answer = web.client.get("/api/alerts")
    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["X-Total-Count"] == "0"
