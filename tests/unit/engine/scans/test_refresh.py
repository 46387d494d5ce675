"""Making the list of vulnerabilities, from files and over HTTP, without the internet."""

import http.server
import json
import threading
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

from scriptrunner.cli import main
from scriptrunner.engine.scans.advisories import AdvisoryDataError, load
from scriptrunner.engine.scans.refresh import refresh
from tests.unit.engine.scans.test_advisories import OWN


def make_archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for entry in json.loads(OWN.read_text()):
            archive.writestr(f"PyPI/{entry['id']}.json", json.dumps(entry))
        archive.writestr("README.txt", "no data")
    return path


@pytest.mark.parametrize("packed", [True, False])
def test_nothing_that_matters_is_lost(tmp_path, packed):
    source = make_archive(tmp_path / "all.zip") if packed else OWN
    refresh(source, tmp_path / "out.json.gz")
    old, new = load(str(OWN)), load(str(tmp_path / "out.json.gz"))
    assert (new.count, new.package_count) == (old.count, old.package_count)
    assert new.newest == old.newest
    for package, version in (
        *(("leaky-pack", "1.5"), ("wavy", "1.0"), ("wavy", "3.2")),
        *(("twice", "1.0"), ("harmful", "6.6.6")),
    ):
        assert new.find(package, Version(version)) == old.find(
            package, Version(version)
        )


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"[]", b"[1]"])
def test_a_source_without_data_leaves_the_list_as_it_was(tmp_path, content):
    target = tmp_path / "out.json.gz"
    refresh(OWN, target)
    before = target.read_bytes()
    (tmp_path / "source").write_bytes(content)
    with pytest.raises(AdvisoryDataError):
        refresh(tmp_path / "source", target)
    assert target.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out.json.gz", "source"]


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("WEBAPI_RUN_DB", str(tmp_path / "data" / "runs.db"))
    monkeypatch.delenv("WEBAPI_ADVISORY_DB", raising=False)
    return tmp_path / "data"


@pytest.fixture
def address(tmp_path):
    """A web server on this machine that offers the archive."""
    make_archive(tmp_path / "all.zip")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path))

        def log_message(self, *_args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_command_fetches_into_the_data_folder(data_dir, address, capsys):
    assert main(["advisories", "show"]) == 1
    assert "scriptrunner advisories refresh" in capsys.readouterr().err
    assert main(["advisories", "refresh", "--from", f"{address}/all.zip"]) == 0
    told = "7 advisories on 5 packages, the newest of 2026-01-02"
    assert told in capsys.readouterr().out
    assert [each.name for each in data_dir.iterdir()] == ["advisories.json.gz"]
    assert main(["advisories", "show"]) == 0
    out = capsys.readouterr().out
    assert told in out
    assert "1 version texts" in out


def test_a_failed_download_says_so(data_dir, address, capsys):
    assert main(["advisories", "refresh", "--from", f"{address}/none.zip"]) == 1
    assert "404" in capsys.readouterr().err
    assert list(data_dir.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "http://example.org/all.zip"], "only https"),
        (["--from", "/no/such/file"], "No such file"),
        (["--to", "/tmp/list.txt"], "must end in .json.gz"),
    ],
)
@pytest.mark.usefixtures("data_dir")
def test_what_cannot_be_done_is_refused(capsys, arguments, words):
    assert main(["advisories", "refresh", *arguments]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("data_dir")
def test_a_folder_is_the_administrators_own(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("WEBAPI_ADVISORY_DB", str(tmp_path))
    assert main(["advisories", "refresh", "--from", str(OWN)]) == 1
    assert "is a folder" in capsys.readouterr().err
