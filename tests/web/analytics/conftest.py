"""A service with a history that its tests fill."""

from datetime import UTC, datetime, timedelta

import pytest

from scriptrunner.history.rows import path_key
from scriptrunner.storage.database import Database
from tests.executions import make_finished, store
from tests.web.conftest import running_web

NOW = datetime.now(UTC).replace(microsecond=0)


#: An hour between two runs, the last one an hour ago.
HOUR = timedelta(hours=1)
#: Questions about one metric.
METRIC_QUESTIONS = ("trends", "anomalies", "baseline", "series")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service whose history its tests fill, each with a script of its own."""
    with running_web(tmp_path_factory.mktemp("analytics")) as web:
        web.client.get("/api/stats")
        yield web


class History:
    """Executions of one script in the history of a service."""

    def __init__(self, web, script):
        self.web = web
        self.client = web.client
        self.script = script

    def fill(self, values, metric="execution_time_seconds", **changes):
        """Add an execution per value, the last one an hour ago."""
        count = len(values)
        self.add(
            [
                make_finished(
                    at=NOW - (count - place) * HOUR,
                    script_path=self.script,
                    run_id=f"{abs(path_key(self.script)) % 10**8:08}-{place:027}",
                    **{metric: value},
                    **{name: each[place] for name, each in changes.items()},
                )
                for place, value in enumerate(values)
            ]
        )

    def add(self, finished):
        database = Database(self.web.app.state.runtime.services.database.url)
        with database.read() as connection:
            last = connection.exec_driver_sql("SELECT max(id) FROM executions").scalar()
        store(database, finished, first_id=(last or 0) + 1)
        database.close()

    def ask(self, what, **query):
        query = {"script_path": self.script, **query}
        answer = self.client.get(f"/api/analytics/{what}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def history(service, request):
    return History(service, str(service.root / f"{request.node.name}.py"))
