import json

import pytest

from scriptrunner.engine.scans import requirements_file
from scriptrunner.engine.scans.dependency_scan import scan
from scriptrunner.engine.scans.requirements import parse_file, parse_script
from tests.unit.engine.scans.test_advisories import OWN


@pytest.mark.parametrize(
    ("line", "package", "version"),
    [
        ("Leaky_Pack==1.0", "leaky-pack", "1.0"),
        ("x[extra] == 1.0 ; python_version < '3'  # why", "x", "1.0"),
        ("x===1.0", "x", "1.0"),
        ("x==1.0,>0.5", "x", "1.0"),
        ("x==1.0 --hash=sha256:aa --hash=sha256:bb", "x", "1.0"),
        ("x", "x", None),
        ("x>=1", "x", None),
        ("x==1.*", "x", None),
        ("x~=1.0", "x", None),
    ],
)
def test_a_pin_is_one_version(line, package, version):
    (found,) = parse_file(line)
    assert found.package == package
    assert found.problem is None
    assert (None if found.version is None else str(found.version)) == version


@pytest.mark.parametrize(
    "line",
    [
        "-r more.txt",
        "-rmore.txt",
        "--requirement=more.txt",
        "-c limits.txt",
        "-e .",
        "x @ https://example.org/x.whl",
        "./folder/x.whl",
        "git+https://example.org/x",
        "not a requirement at all",
    ],
)
def test_what_cannot_be_checked_is_said(line):
    (found,) = parse_file(line)
    assert found.problem
    assert found.package is None


@pytest.mark.parametrize(
    "line",
    ["", "# x==1", "--index-url https://example.org", "-i x", "--no-binary :all:"],
)
def test_a_line_may_ask_for_nothing(line):
    assert parse_file(line) == []


def test_lines_keep_their_numbers_across_continuations():
    text = "# first\n\nx==1 \\\n    --hash=sha256:aa\n\ny==2\\\n"
    assert [(each.line, each.package) for each in parse_file(text)] == [
        (3, "x"),
        (6, "y"),
    ]


def test_a_login_in_an_address_is_not_repeated():
    (found,) = parse_file("x @ https://user:hunter2@example.org/x.whl")
    assert "hunter2" not in found.text


METADATA = """\
#!/usr/bin/env python
# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "leaky-pack==1.0",
#     "rich",
# ]
# ///
import rich
"""


def test_inline_metadata_are_dependencies_too():
    found = parse_script(METADATA)
    assert [(each.file, each.line, each.package) for each in found] == [
        ("script", 5, "leaky-pack"),
        ("script", 6, "rich"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "# /// script\n# dependencies = [\n# ///\n",
        "# /// script\n# dependencies = 'x'\n# ///\n",
        "# /// script\n# x = 1\n# ///\n\n# /// script\n# x = 1\n# ///\n",
    ],
)
def test_metadata_that_cannot_be_read_are_a_problem(text):
    (found,) = parse_script(text)
    assert found.problem
    assert found.line == 1


def test_a_script_without_metadata_asks_for_nothing():
    assert parse_script("import os\n# /// other\n# x = 1\n# ///\n") == []


def test_the_report_names_package_line_and_fix():
    report = scan(
        METADATA.encode(), requirements="wavy==1.0\n-r x\n", advisory_db=str(OWN)
    )
    found = [(f["id"], f["severity"], f["file"], f["line"]) for f in report["findings"]]
    assert found == [
        ("TEST-0003", "CRITICAL", "requirements", 1),
        ("TEST-0001", "MEDIUM", "script", 5),
        ("not_checked", "LOW", "requirements", 2),
        ("unpinned", "LOW", "script", 6),
    ]
    first, second = report["findings"][:2]
    assert (first["package"], first["specifier"], first["version"]) == (
        "wavy",
        "==1.0",
        "1.0",
    )
    assert second["fixed_versions"] == ["2.0"]
    assert second["aliases"] == ["CVE-0000-0001"]
    assert report["packages"] == 3
    assert report["counts"] == {"CRITICAL": 1, "MEDIUM": 1, "LOW": 2}


def test_a_finding_repeats_little_of_an_endless_line():
    lines = f"wavy==1{'.0' * 50_000}\n{'x' * 100_000}"
    report = scan(b"", requirements=lines, advisory_db=str(OWN))
    assert len(report["findings"]) == 2
    assert all(len(json.dumps(each)) < 1_200 for each in report["findings"])


def test_the_report_tells_the_age_of_the_data():
    report = scan(b"", requirements=None, advisory_db=str(OWN))
    assert report["status"] == "clean"
    data = report["advisories"]
    assert (data["source"], data["count"]) == ("advisories.json", 7)
    assert data["date"] == "2026-01-02T03:04:05Z"
    assert data["age_days"] > 0


def test_data_that_cannot_be_read_or_are_empty_are_unavailable(tmp_path):
    (tmp_path / "x.json").write_text("nonsense")
    for path in (tmp_path / "x.json", tmp_path / "none.json"):
        report = scan(b"", requirements="x==1", advisory_db=str(path))
        assert report["status"] == "unavailable"
    (tmp_path / "x.json").write_text("[]")
    report = scan(b"", requirements="x==1", advisory_db=str(tmp_path / "x.json"))
    assert (report["status"], report["reason"]) == ("unavailable", "no advisory data")


def test_the_nearest_requirements_file_inside_the_root_counts(tmp_path):
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("outside")
    assert requirements_file.find(str(root), "a/b/x.py") is None
    (root / "requirements.txt").write_text("top")
    found = requirements_file.find(str(root), "a/b/x.py")
    assert found is not None
    assert (found.path, found.data) == ("requirements.txt", b"top")
    (root / "a" / "b" / "requirements.txt").write_text("beside")
    found = requirements_file.find(str(root), "a/b/x.py")
    assert found is not None
    assert (found.path, found.data) == ("a/b/requirements.txt", b"beside")


def test_a_link_or_a_huge_file_is_no_requirements_file(tmp_path):
    (tmp_path / "real").write_text("x==1")
    (tmp_path / "requirements.txt").symlink_to("real")
    found = requirements_file.find(str(tmp_path), "x.py")
    assert found is not None
    assert found.problem
    (tmp_path / "requirements.txt").unlink()
    (tmp_path / "requirements.txt").write_bytes(b"#" * ((1 << 20) + 1))
    found = requirements_file.find(str(tmp_path), "x.py")
    assert found is not None
    assert (found.problem, found.data) == ("larger than 1 MiB", b"")
