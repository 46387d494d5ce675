"""The library's rules that need neither database nor tree."""

import os
import time

import pytest

from scriptrunner.errors import MalformedInputError
from scriptrunner.library import fingerprints
from scriptrunner.library.errors import FolderMissingError, RootNotAllowedError
from scriptrunner.library.languages import (
    BY_EXTENSION,
    OTHER,
    extension_of,
    find_by_first_line,
)
from scriptrunner.library.patterns import (
    GitIgnore,
    Wanted,
    join_patterns,
    split_patterns,
)
from scriptrunner.library.places import RootPolicy, list_folder
from scriptrunner.library.reading import count_lines
from scriptrunner.library.versions import compare_texts


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a.py", "Python"),
        ("A.PYW", "Python"),
        ("m.psm1", "PowerShell"),
        ("x.bash", "Bash"),
        ("x.cmd", "Batch"),
        ("x.mjs", "JavaScript"),
        ("x.yml", "YAML"),
        ("main.tf", "Terraform"),
        ("a.b.rs", "Rust"),
        (".py", "Other"),
        ("py", "Other"),
        ("a.", "Other"),
    ],
)
def test_languages_by_extension(name, language):
    assert BY_EXTENSION.get(extension_of(name), OTHER) == language


@pytest.mark.parametrize(
    ("line", "language"),
    [
        (b"#!/usr/bin/env python3\n", "Python"),
        (b"#!/usr/bin/python3.11 -u\n", "Python"),
        (b"#!/usr/bin/env -S LANG=C bash -e\n", "Bash"),
        (b"#!/bin/sh", "Bash"),
        (b"#!/usr/bin/node\n", "JavaScript"),
        (b"#!\n", None),
        (b"#!/opt/\xff\xfe\n", None),
        (b"no line of that kind", None),
    ],
)
def test_languages_by_first_line(line, language):
    assert find_by_first_line(line) == language


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"", 0),
        (b"a", 1),
        (b"a\n", 1),
        (b"a\nb", 2),
        (b"a\r\nb\r\n", 2),
        (b"a\rb", 2),
        (b"\n\n", 2),
        (b"\xff\xfe\xfa", 1),
        ("a\nb\n".encode("utf-16"), 2),
        ("a\nb".encode("utf-32"), 2),
    ],
)
def test_lines_are_counted_in_any_encoding(data, count):
    assert count_lines(data) == count


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [
        ("tests", "tests/", True),
        ("tests", "a/tests/", True),
        ("tests", "a/tests.py", False),
        ("a/**", "a/b/c.py", True),
        ("a/**", "x/a/b.py", False),
        ("a/*.py", "a/b.py", True),
        ("a/*.py", "a/b/c.py", False),
        ("**/deep/*.py", "x/y/deep/z.py", True),
        (".tmp", "x.tmp", True),
        ("*_test.py", "a/one_test.py", True),
        ("(a+)+$", "aaaa", False),
    ],
)
def test_exclude_patterns(pattern, path, is_match):
    assert Wanted([], [pattern]).is_excluded(path) is is_match


@pytest.mark.parametrize("pattern", ["py", ".py", "*.py"])
def test_an_extension_may_be_written_in_three_ways(pattern):
    wanted = Wanted([pattern], [])
    assert wanted.is_included("a/b.PY")
    assert not wanted.is_included("a/py")


def test_no_pattern_takes_long():
    """Globs with many stars made an earlier draft look for minutes."""
    began = time.monotonic()
    costly = "*a" * 100 + "b"
    wanted = Wanted([f"x/{costly}"], [costly, f"**/{costly}"])
    for _ in range(50):
        assert not wanted.is_included("x/" + "a" * 250)
        assert not wanted.is_excluded("x/" + "a" * 250)
    rules = GitIgnore("", costly + "\n*.log\n", None)
    assert not rules.is_ignored("a" * 250)
    assert rules.is_ignored("x.log")
    assert time.monotonic() - began < 15


def test_patterns_are_bounded():
    assert join_patterns([" py ", "py", ".sh"], field="x") == "py,.sh"
    assert split_patterns(join_patterns("a, b,,", field="x")) == ["a", "b"]
    for wrong in ("x" * 501, [f"p{n}" for n in range(201)], ["a,b"], ["a\nb"]):
        with pytest.raises(MalformedInputError):
            join_patterns(wrong, field="x")


def test_a_deeper_gitignore_has_the_last_word():
    top = GitIgnore("", "*.log\nbuild/\n", None)
    rules = GitIgnore("sub/", "!keep.log\n", top)
    assert rules.is_ignored("sub/x.log")
    assert not rules.is_ignored("sub/keep.log")
    assert rules.is_ignored("sub/build/")
    assert not rules.is_ignored("sub/build.py")


# Which folders may be roots


def test_folders_of_the_system_and_hidden_ones_are_no_roots(tmp_path):
    policy = RootPolicy([], data_dir=tmp_path / "data")
    for each in ("/", "/etc", "/proc", "/usr/lib", "/var/log", "/dev"):
        with pytest.raises(RootNotAllowedError):
            policy.resolve(each)
    hidden = tmp_path / ".ssh" / "keys"
    hidden.mkdir(parents=True)
    (tmp_path / "data" / "runs").mkdir(parents=True)
    for folder in (hidden, tmp_path / "data", tmp_path / "data" / "runs"):
        with pytest.raises(RootNotAllowedError):
            policy.resolve(str(folder))
    for text in (f"{tmp_path}/none", f"{tmp_path}/\0", "relative", "", "\ud800"):
        with pytest.raises(FolderMissingError):
            policy.resolve(text)


def test_links_do_not_lead_around_the_rule(tmp_path):
    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / "ok").mkdir()
    (tmp_path / "other").symlink_to(tmp_path / "ok")
    policy = RootPolicy([], data_dir=tmp_path / "data")
    with pytest.raises(RootNotAllowedError):
        policy.resolve(f"{tmp_path}/link")
    assert policy.resolve(f"{tmp_path}/other/") == f"{tmp_path}/ok"


def test_an_administrator_may_name_the_places(tmp_path):
    for name in ("in/.hidden", "out"):
        (tmp_path / name).mkdir(parents=True)
    policy = RootPolicy([tmp_path / "in"], data_dir=tmp_path / "data")
    assert policy.resolve(f"{tmp_path}/in/.hidden")
    with pytest.raises(RootNotAllowedError):
        policy.resolve(f"{tmp_path}/out")


def test_a_picker_shows_folders_and_python_files_only(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a.py").write_text("1\n")
    (tmp_path / "notes.txt").write_text("1\n")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe.py")
    found = list_folder([str(tmp_path)], str(tmp_path), "")
    assert (found.folders, found.files) == (["b"], [("a.py", 2)])


# Likeness and differences


def test_fingerprints_are_the_same_for_the_same_lines():
    text = b"".join(b"line %d\n" % n for n in range(50))
    spaced = text.replace(b"\n", b"\n\n    ")
    assert fingerprints.runs_of(text) == fingerprints.runs_of(spaced)
    bands = fingerprints.bands_of(fingerprints.runs_of(text))
    assert len(bands) == fingerprints.BANDS
    assert all(0 <= each < 2**63 for each in bands)
    assert fingerprints.bands_of(fingerprints.runs_of(b"a\nb\nc\n")) == ()


def test_likeness_is_shared_runs_over_all_runs():
    # Runs of three: abc bcd cde of the first, abc bcd cdx of the second: 2 of 4.
    first = fingerprints.runs_of(b"a\nb\nc\nd\ne\n")
    second = fingerprints.runs_of(b"a\nb\nc\nd\nx\n")
    assert fingerprints.similarity(first, second) == 0.5
    assert fingerprints.similarity(frozenset(), frozenset()) == 0.0


def test_a_difference_is_a_unified_diff():
    found = compare_texts(b"a\nb\nc\n", b"a\nB\nc\n")
    assert found.text == "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c"
    assert (found.added, found.removed, found.is_truncated) == (1, 1, False)
    assert compare_texts(b"a\n", b"a\n").text == ""
    long = compare_texts(b"", b"x\n" * 30_000)
    assert long.is_truncated
