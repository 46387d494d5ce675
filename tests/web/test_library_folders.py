"""Scripts by folder, and two scripts compared: what the dashboard needs beyond the rest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.conftest import Web, running_web, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service whose library lists three scripts in two folders."""
    folder: Path = tmp_path_factory.mktemp("listed")
    with running_web(folder) as web:
        web.write("print(1)\n", "jobs/a.py")
        web.write("print(2)\n", "jobs/deep/a.py")
        web.write("print(3)\n", "jobs_old/b.py")
        json = {"path": str(web.root), "name": "all"}
        root = web.client.post("/api/library/folder-roots", json=json).json()["id"]
        web.client.post(f"/api/library/folder-roots/{root}/scan")
        wait_for(lambda: paths(web), lambda found: len(found) == 3)
        yield web


def paths(web: Web, **query: str) -> dict[str, int]:
    found = web.client.get("/api/library/scripts", params=query).json()["items"]
    return {each["relative_path"]: each["id"] for each in found}


@pytest.mark.parametrize("folder", ["jobs", "jobs/", "/jobs"])
def test_a_folder_holds_what_is_below_it(listed: Web, folder: str) -> None:
    assert set(paths(listed, folder=folder)) == {"jobs/a.py", "jobs/deep/a.py"}
    assert set(paths(listed, folder="jobs/deep")) == {"jobs/deep/a.py"}


@pytest.mark.parametrize("folder", ["job", "JOBS", "jobs_", "%", "nowhere"])
def test_a_folder_is_meant_literally(listed: Web, folder: str) -> None:
    assert paths(listed, folder=folder) == {}


def test_two_scripts_are_compared(listed: Web) -> None:
    ids = paths(listed)
    first, second = ids["jobs/a.py"], ids["jobs/deep/a.py"]
    path = f"/api/library/scripts/{first}/compare"
    body = listed.client.get(f"{path}/{second}").json()
    assert (body["added"], body["removed"], body["truncated"]) == (1, 1, False)
    assert "-print(1)\n+print(2)" in body["diff"]
    assert listed.client.get(f"{path}/{first}").json()["diff"] == ""
    listed.error("GET", f"{path}/4711", 404)
