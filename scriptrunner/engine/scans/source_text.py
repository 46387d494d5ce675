"""The text of a script as its findings count lines and columns, both from 1."""

import io
import tokenize


def decode(source: bytes) -> str:
    r"""Return a script as text with ``\n`` as its only line end.

    By its own coding cookie or byte order mark; what cannot be decoded becomes U+FFFD, so
    that a script with bad bytes is looked through all the same.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        text = source.decode(encoding, "replace")
    except (SyntaxError, LookupError, ValueError):
        text = source.decode("utf-8", "replace")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
