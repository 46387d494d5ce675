from collections.abc import Iterator
from pathlib import Path

import pytest

from scriptrunner.access.service import AccessService, open_access
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import migrate
from tests.clocks import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        database_url=f"sqlite:///{tmp_path / 'runs.db'}",
        data_dir=tmp_path,
        allowed_roots=(tmp_path,),
        rule_uid="on",
        rule_http10="on",
    )


@pytest.fixture
def access(settings: Settings, clock: FakeClock) -> Iterator[AccessService]:
    database = Database(settings.database_url)
    migrate(database)
    service = open_access(database, clock=clock)
    yield service
    service.close()
    database.close()
