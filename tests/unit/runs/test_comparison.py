"""Two runs side by side: options by type, metrics in percent, texts by lines."""

import pytest

from scriptrunner.runs import comparison
from scriptrunner.runs.comparison import (
    compare_metrics,
    compare_options,
    compare_texts,
)

NAMES = ("a.py", "b.py")


def test_only_options_that_differ_are_named():
    left = {"args": ["x"], "timeout": 3, "dry_run": False, "old": 1}
    right = {"args": ["x", "y"], "timeout": 3, "dry_run": 0, "new": 2}
    assert compare_options(left, right) == [
        {"name": "args", "left": ["x"], "right": ["x", "y"]},
        {"name": "dry_run", "left": False, "right": 0},
        {"name": "old", "left": 1, "right": None},
        {"name": "new", "left": None, "right": 2},
    ]


@pytest.mark.parametrize(
    ("left", "right", "change"),
    [(2.0, 3.0, 50.0), (3, 2, -33.33), (-2.0, -1.0, 50.0), (0, 1, None), (1, 1, 0.0)],
)
def test_change_is_in_percent_of_the_left(left, right, change):
    (row,) = compare_metrics({"cpu_max": left}, {"cpu_max": right})
    assert row == {
        "name": "cpu_max",
        "left": left,
        "right": right,
        "change_percent": change,
    }


def test_what_is_no_number_is_no_metric():
    left = {"script_path": "a", "success": True, "exit_code": 1, "cpu_max": None}
    assert compare_metrics(left, {"cpu_max": 2.0, "platform": "x"}) == [
        {"name": "cpu_max", "left": None, "right": 2.0, "change_percent": None}
    ]


def test_equal_texts_have_no_difference():
    found = compare_texts(b"a\nb\n", b"a\nb\n", names=NAMES)
    assert found["is_equal"]
    assert (found["diff"], found["is_truncated"]) == ("", False)


def test_difference_is_a_unified_diff():
    found = compare_texts(b"a\nb\nc", b"a\nx\nc\n-- d\n", names=NAMES)
    assert found["diff"].splitlines() == [
        "--- a.py",
        "+++ b.py",
        "@@ -1,3 +1,4 @@",
        " a",
        "-b",
        "+x",
        " c",
        "+-- d",
    ]
    assert (found["added"], found["removed"]) == (2, 1)
    assert not found["is_truncated"]


def test_long_texts_are_compared_by_their_ends(monkeypatch):
    monkeypatch.setattr(comparison, "MAX_LINES", 2)
    found = compare_texts(b"1\n2\n3\n", b"0\n2\n4\n", names=NAMES)
    assert "-1\n" not in found["diff"] + "\n"
    assert found["is_truncated"]


def test_a_long_difference_is_cut(monkeypatch):
    monkeypatch.setattr(comparison, "MAX_DIFF_LINES", 4)
    found = compare_texts(b"a\nb\n", b"c\nd\n", names=NAMES)
    assert len(found["diff"].splitlines()) == 4
    assert found["is_truncated"]


def test_equal_ends_of_texts_that_were_cut_are_not_called_equal():
    assert not compare_texts(b"x", b"x", names=NAMES, is_cut=True)["is_equal"]


def test_bytes_that_are_no_text_can_be_compared():
    assert "-\ufffd" in compare_texts(b"\xff\n", b"a\n", names=NAMES)["diff"]
