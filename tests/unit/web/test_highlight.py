"""Colours of source: every character is kept, lines stay lines, nothing becomes markup."""

import pytest

from scriptrunner.web import highlight
from scriptrunner.web.highlight import describe_source

PYTHON = 'import os\n\n\ndef main() -> None:\n    """Say."""\n    print("é", 1)\n'


def text_of(answer):
    return ["".join(text for _, text in line) for line in answer["lines"]]


def test_python_is_coloured():
    answer = describe_source(PYTHON.encode(), "main.py")
    assert (answer["language"], answer["is_coloured"]) == ("Python", True)
    pieces = [piece for line in answer["lines"] for piece in line]
    assert {("k", "import"), ("f", "main"), ("s", '"é"'), ("m", "1")} <= set(pieces)


@pytest.mark.parametrize(
    "text",
    [
        PYTHON,
        "",
        "\n",
        "\n\nx = 1",
        "x = 1\n\n",
        "x = '<b>' & \"</script>\"\n",
        "def (((\n\t'''never closed\n\n",
        "a\r\nb\r\n",
        "\ufffd\x00\x1b[31m",
    ],
)
@pytest.mark.parametrize("name", ["a.py", "a.sh", "a.unknown", ""])
def test_every_line_and_character_is_kept(text, name):
    expected = text.split("\n")
    if expected[-1] == "":
        expected.pop()
    shown = text_of(describe_source(text.encode(), name))
    assert shown == [line.rstrip("\r") for line in expected]


def test_bytes_that_are_no_text_are_marked():
    assert text_of(describe_source(b"x = '\xff'\n", "a.py")) == ["x = '\ufffd'"]


def test_a_large_text_comes_plain(monkeypatch):
    monkeypatch.setattr(highlight, "MAX_LINES", 3)
    answer = describe_source(b"a\nb\nc\nd\n", "a.py")
    assert not answer["is_coloured"]
    assert answer["lines"] == [[("", "a")], [("", "b")], [("", "c")], [("", "d")]]


def test_the_second_reader_gets_the_same_work():
    first = describe_source(PYTHON.encode(), "main.py")
    assert describe_source(PYTHON.encode(), "main.py")["lines"] is first["lines"]
