"""``tools/hygiene.py``: what is untidy in a file."""

import pytest

from tools.hygiene import LARGEST_BYTES, faults_of


@pytest.mark.parametrize(
    "content",
    [b"", b"one line\n", b"Title\n=======\n\nText.\n", b"\x89PNG\r\n\0 \n\n"],
)
def test_tidy_files_have_no_fault(content: bytes) -> None:
    assert list(faults_of(content)) == []


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a\r\nb\n", "Windows line ends"),
        (b"a \nb\n", "blanks at the end of a line"),
        (b"a", "exactly one newline"),
        (b"a\n\n", "exactly one newline"),
        (b"<<<<<<< ours\n", "merge conflict"),
        (b"-----BEGIN RSA " + b"PRIVATE KEY-----\n", "looks like a secret"),
        (b"token = wapi_" + b"a" * 8 + b"_" + b"B" * 43 + b"\n", "looks like a secret"),
        (b"\0" * (LARGEST_BYTES + 1), "bytes, more than"),
    ],
)
def test_untidy_files_are_named(content: bytes, fault: str) -> None:
    (found,) = faults_of(content)
    assert fault in found
