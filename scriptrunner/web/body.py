"""Reading request bodies: their media type, and no more bytes than allowed."""

from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from scriptrunner.errors import (
    MalformedInputError,
    TooLargeError,
    UnsupportedMediaTypeError,
)

#: Bytes of a JSON body.
JSON_BYTES = 1 << 20
#: Bytes of an upload, all parts together.
UPLOAD_BYTES = 10 << 20


class BodyTooLargeError(TooLargeError):
    """The body is larger than this call takes."""

    code = "body_too_large"

    def __init__(self, *, limit_bytes: int) -> None:
        """Keep ``limit_bytes``, the most this call takes."""
        super().__init__(f"The body may have at most {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class CutOffBodyError(MalformedInputError):
    """The body ended before it was complete."""

    def __init__(self) -> None:
        """Say so as a fault of the body."""
        super().__init__(
            [{"type": "body_cut_off", "loc": ["body"], "msg": self.__doc__}]
        )


def require_media_type(request: Request, wanted: str) -> None:
    """Refuse a body that is not ``wanted``; one without a type too.

    A web page may send other types to us without asking first, so this is a wall.

    Raises:
        UnsupportedMediaTypeError: If the type is another or missing.
    """
    values = request.headers.getlist("content-type")
    given = values[0].partition(";")[0].strip().lower() if len(values) == 1 else ""
    if given != wanted:
        raise UnsupportedMediaTypeError(f"Send this body with Content-Type: {wanted}")


async def iter_body(request: Request, *, limit_bytes: int) -> AsyncIterator[bytes]:
    """Yield the body in pieces, counted while they come.

    Raises:
        BodyTooLargeError: As soon as it is clear that there are more than ``limit_bytes``.
        CutOffBodyError: If the sender went away.
    """
    announced = request.headers.get("content-length", "")
    if (
        announced.isascii()
        and announced.isdigit()
        and int(announced[:20]) > limit_bytes
    ):
        raise BodyTooLargeError(limit_bytes=limit_bytes)
    count = 0
    try:
        async for piece in request.stream():
            count += len(piece)
            if count > limit_bytes:
                raise BodyTooLargeError(limit_bytes=limit_bytes)
            yield piece
    except ClientDisconnect:
        raise CutOffBodyError from None


async def read_body(request: Request, *, limit_bytes: int) -> bytes:
    """Return the whole body; errors as ``iter_body``."""
    return b"".join(
        [piece async for piece in iter_body(request, limit_bytes=limit_bytes)]
    )


async def has_body(request: Request) -> bool:
    """Return whether a body comes; only for requests that are refused either way."""
    try:
        async for piece in iter_body(request, limit_bytes=0):
            if piece:
                return True
    except BodyTooLargeError:
        return True
    return False
