import gzip
import json
import os
from pathlib import Path

import pytest
from packaging.version import Version

from scriptrunner.engine.scans.advisories import (
    Advisories,
    AdvisoryDataError,
    load,
    severity_of,
)

OWN = Path(__file__).with_name("advisories.json")
#: A snapshot of the PyPA advisory database, where somebody has put it beside the project.
SNAPSHOT = Path(__file__).parents[5] / "shared" / "data" / "osv-pypi.json.gz"


@pytest.fixture(scope="module")
def known() -> Advisories:
    return load(str(OWN))


def ids(known: Advisories, package: str, version: str) -> list[str]:
    return [match.id for match in known.find(package, Version(version))]


@pytest.mark.parametrize(
    ("package", "version", "expected"),
    [
        # a range alone: from the beginning to before 2.0
        ("leaky-pack", "0.0.1.dev1", ["TEST-0001"]),
        ("leaky-pack", "1.9.9", ["TEST-0001"]),
        ("leaky-pack", "2.0rc1", ["TEST-0001"]),
        ("leaky-pack", "2.0", []),
        # a list beside it, in any spelling of version and name
        ("Leaky_Pack", "1.5.0", ["TEST-0001", "TEST-0002"]),
        ("leaky.pack", "3.0.rc1", ["TEST-0002"]),
        ("leaky.pack", "3.0", []),
        # events out of order; the last affected version is affected
        ("wavy", "0.9", []),
        ("wavy", "1.0", ["TEST-0003"]),
        ("wavy", "1.4", []),
        ("wavy", "3.2", ["TEST-0003"]),
        ("wavy", "3.2.1", []),
        # withdrawn, of another ecosystem, by commit, unknown
        ("committed", "1.0", []),
        ("unheard-of", "1.0", []),
        # two names of one fault
        ("twice", "1.0", ["PYSEC-0000-6"]),
        ("twice", "0.5", ["GHSA-test"]),
    ],
)
def test_an_advisory_applies_to_its_versions(known, package, version, expected):
    assert ids(known, package, version) == expected


def test_a_match_says_what_is_known_of_it(known):
    (match,) = known.find("leaky-pack", Version("1.0"))
    assert match.aliases == ("CVE-0000-0001",)
    assert match.fixed_versions == ("2.0",)
    assert (match.severity, match.summary) == (
        "MEDIUM",
        "Invented: packets leak before 2.0",
    )


def test_aliases_are_joined_with_all_that_either_knows(known):
    (match,) = known.find("twice", Version("1.0"))
    assert match.aliases == ("CVE-0000-0006", "GHSA-test")
    assert match.fixed_versions == ("1.1",)


@pytest.mark.parametrize(
    ("package", "version", "severity"),
    [
        ("leaky-pack", "1.0", "MEDIUM"),  # none named
        ("leaky-pack", "3.0rc1", "CRITICAL"),  # named
        ("wavy", "1.0", "CRITICAL"),  # 9.1 by its vector
        ("twice", "0.5", "MEDIUM"),  # "moderate"
        ("harmful", "6.6.6", "CRITICAL"),  # the package is the attack
    ],
)
def test_the_severity_is_the_advisorys_own(known, package, version, severity):
    (match,) = known.find(package, Version(version))
    assert match.severity == severity


def test_an_unknown_vector_means_unknown():
    entry = {"id": "X", "severity": [{"score": "CVSS:4.0/AV:N"}]}
    assert severity_of(entry) == "MEDIUM"


def test_the_date_of_the_data_is_the_newest_that_can_be(known):
    assert known.newest == "2026-01-02T03:04:05Z"
    assert (known.count, known.package_count) == (7, 5)


def test_what_is_no_version_is_counted(known):
    assert known.count_unreadable() == 1
    fresh = load(str(OWN))
    ids(fresh, "leaky-pack", "1.0")
    assert fresh.unreadable_count == 1


def test_a_folder_and_packed_files_are_read_too(tmp_path, known):
    entries = json.loads(OWN.read_text())
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.json").write_text(json.dumps(entries[0]))
    with gzip.open(tmp_path / "rest.json.gz", "wt") as file:
        json.dump(entries[1:], file)
    (tmp_path / "README.md").write_text("no data")
    both = load(str(tmp_path))
    assert (both.count, both.newest) == (known.count, known.newest)
    assert ids(both, "leaky-pack", "1.5") == ["TEST-0001", "TEST-0002"]


@pytest.mark.parametrize(
    "content", [b"", b"no json", b"[1, 2]", b'"text"', b"{}", b'[{"affected": [1]}]']
)
def test_what_is_no_advisory_data_is_an_error(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    if content == b"{}":
        assert load(str(path)).package_count == 0
        return
    with pytest.raises(AdvisoryDataError, match="cannot be read"):
        load(str(path))


def test_the_error_names_no_path(tmp_path):
    with pytest.raises(AdvisoryDataError) as caught:
        load(str(tmp_path / "missing.json"))
    assert str(tmp_path) not in str(caught.value)


@pytest.fixture(scope="module")
def snapshot() -> Advisories:
    if not SNAPSHOT.exists():
        # Not a skip: the rules are proven above, on data that are always there.
        return load(str(OWN))
    return load(str(SNAPSHOT))


def test_the_snapshot_is_matched_as_its_readme_says(snapshot):
    if not SNAPSHOT.exists():
        return
    assert (snapshot.count, snapshot.package_count) == (2651, 660)
    assert snapshot.newest is not None
    assert snapshot.newest[:10] == "2024-10-10"
    assert snapshot.count_unreadable() == 110
    assert ids(snapshot, "requests", "2.19.0") == ["PYSEC-2018-28", "PYSEC-2023-74"]
    assert ids(snapshot, "PyYAML", "5.3") == ["PYSEC-2020-96", "PYSEC-2021-142"]
    assert len(ids(snapshot, "Django", "3.2.0")) == 25
    assert ids(snapshot, "requests", "2.32.3") == []
    assert ids(snapshot, "Jinja2", "3.1.4") == []


def test_nothing_is_read_that_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")  # has no suffix of ours, or this would hang
    assert load(str(tmp_path)).count == 0
