"""A whole service is killed while an alert is on its way; the next one delivers it."""

import signal

import pytest

from tests.receivers import http_receiver
from tests.server import running_server, wait_for


def find_delivery(server, run):
    """Return the only delivery of a run as it is now."""
    record = server.client.get(f"/api/runs/{run['id']}").json()
    (delivery,) = record["result"]["alerts"][0]["deliveries"]
    return delivery


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_the_next_service_delivers_what_the_killed_one_could_not(tmp_path):
    with http_receiver(500, 200) as receiver:
        environment = {
            "WEBAPI_ALERT_WEBHOOK": receiver.url,
            "WEBAPI_WEBHOOK_INTERNAL_HOSTS": receiver.place,
        }
        with running_server(tmp_path, environment=environment) as server:
            run = server.run(
                "raise SystemExit(3)",
                alerts=[{"condition": "exit_code == 3", "channels": ["webhook"]}],
            )
            wait_for(lambda: find_delivery(server, run)["error"], what="the first try")
            server.signal(signal.SIGKILL)
        # The end of the ``with`` has killed supervisor and background process, too.
        with running_server(tmp_path, environment=environment) as server:
            wait_for(
                lambda: find_delivery(server, run)["status"] == "sent",
                seconds=30,
                what="the delivery",
            )
            delivery = find_delivery(server, run)
        ids = {request.body["delivery_id"] for request in receiver.requests}
        assert ids == {delivery["delivery_id"]}
        assert delivery["tries"] >= 2
