"""The text of tokens and cookies: made, taken apart and compared here, nowhere else.

A token is ``wapi_<id8>_<43 base64url>``. The id finds the row, the secret proves it; only
the sha256 of the secret is stored, which is enough for 256 random bits.
"""

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass

#: Random bytes of a secret.
SECRET_BYTES = 32
ID_ALPHABET = string.ascii_lowercase + string.digits
#: ``fullmatch`` only: an unanchored pattern once opened another project's door.
TOKEN_PATTERN = re.compile(r"wapi_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")
#: Secrets made elsewhere (``openssl rand -hex 32``) that an administrator may bring.
FOREIGN_PATTERN = re.compile(r"[!-~]{32,200}")
#: Compared with when there is no such token, so that both cases do the same work.
NO_SECRET_SHA256 = "0" * 64


@dataclass(frozen=True, slots=True)
class TokenText:
    """A token taken apart."""

    id: str
    secret: str


def make_token() -> tuple[str, TokenText]:
    """Return the text of a new token and its parts."""
    token_id = "".join(secrets.choice(ID_ALPHABET) for _ in range(8))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    return f"wapi_{token_id}_{secret}", TokenText(token_id, secret)


def parse_token(text: str) -> TokenText | None:
    """Return the parts of ``text``, or None if it cannot be a token.

    A secret of another shape (32 to 200 visible ASCII characters) gets an id from its
    hash, so that containers can bring their own first token.
    """
    own = TOKEN_PATTERN.fullmatch(text)
    if own:
        return TokenText(own[1], own[2])
    if FOREIGN_PATTERN.fullmatch(text):
        return TokenText(digest("script runner token id:" + text)[:8], text)
    return None


def make_cookie() -> str:
    """Return the value of a new login cookie: 256 random bits."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Return the sha256 of ``secret`` as 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_secret(secret: str, secret_sha256: str) -> bool:
    """Return whether ``secret`` is the one behind the hash, in constant time."""
    return hmac.compare_digest(digest(secret), secret_sha256)
