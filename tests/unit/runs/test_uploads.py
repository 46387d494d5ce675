"""Names of uploads: shown, harmless, never a path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.engine.paths import NotPythonError
from scriptrunner.runs.uploads import sanitize


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("job.py", "job.py"),
        ("job.pyw", "job.pyw"),
        ("../../etc/x.py", "x.py"),
        ("C:\\Users\\me\\x.py", "x.py"),
        ("/abs/x.py", "x.py"),
        ("a b-c_d.1.py", "a b-c_d.1.py"),
        ("<script>.py", "_script_.py"),
        ("über.py", "über.py"),
        ("u\u0308ber.py", "über.py"),
        ("a\x00b\n.py", "a_b_.py"),
        ("..py", "..py"),
        (" x.py ", "x.py"),
        ("x" * 300 + ".py", "x" * 97 + ".py"),
    ],
)
def test_the_shown_name(given_name: str, shown: str) -> None:
    assert sanitize(given_name) == shown


@pytest.mark.parametrize(
    "name", ["", "x.sh", "x.PY", "x.py.txt", ".py", "x.py/", "py", "x.py\x00.sh"]
)
def test_other_files_are_refused(name: str) -> None:
    with pytest.raises(NotPythonError):
        sanitize(name)


@given(st.text(max_size=200).map(lambda text: text + ".py"))
def test_any_name_becomes_harmless(name: str) -> None:
    try:
        shown = sanitize(name)
    except NotPythonError:
        return
    assert len(shown) <= 100
    assert "/" not in shown
    assert "\\" not in shown
    assert shown.isprintable() or any(c.isalnum() for c in shown)
    assert all(c.isalnum() or c in "._ -" for c in shown)
