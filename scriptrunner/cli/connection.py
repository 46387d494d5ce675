"""The connection of the client's commands to a running service."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:9000"
#: Exit code when no service answers (``EX_UNAVAILABLE`` of sysexits.h).
UNREACHABLE = 69
#: Exit code when the service refuses.
REFUSED = 1
#: Seconds for an answer; orders may wait for the end of a script.
TIMEOUT_SECONDS = 60.0


class UnreachableError(click.ClickException):
    """No service answers."""

    exit_code = UNREACHABLE


class RefusedError(click.ClickException):
    """The service answered with an error."""

    exit_code = REFUSED


class Connection:
    """Calls of the HTTP API as the client's commands need them.

    Args:
        url: Address of the service.
        token: Access token, or None on the service's own machine.
    """

    def __init__(self, url: str, token: str | None) -> None:
        """Connect to nothing yet."""
        import httpx  # noqa: PLC0415 - 0.1 s that help texts need not pay

        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url
        self._failure = httpx.TransportError
        self._client = httpx.Client(
            base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
        )

    def call(self, method: str, path: str, **options: Any) -> "httpx.Response":
        """Send a request and return the answer.

        Raises:
            UnreachableError: If no service answers.
            RefusedError: If it answers with an error.
        """
        try:
            answer = self._client.request(method, path, **options)
        except self._failure as error:
            raise self._unreachable(error) from None
        _check(answer)
        return answer

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of an answer."""
        given = {name: value for name, value in query.items() if value is not None}
        return self.call("GET", path, params=given).json()

    @contextmanager
    def stream(
        self, path: str, *, last_event_id: str | None = None
    ) -> Iterator[Iterator[str]]:
        """Yield the lines of an event stream.

        Raises:
            UnreachableError: If no service answers, or it goes away meanwhile.
            RefusedError: If it answers with an error.
        """
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        try:
            with self._client.stream("GET", path, headers=headers) as answer:
                if answer.is_error:
                    answer.read()
                _check(answer)
                yield answer.iter_lines()
        except self._failure as error:
            raise self._unreachable(error) from None

    def download(
        self, path: str, write: Callable[[bytes], object], **query: Any
    ) -> None:
        """Hand the body of an answer to ``write``, piece by piece.

        Raises:
            UnreachableError: If no service answers, or it goes away meanwhile.
            RefusedError: If it answers with an error.
        """
        try:
            with self._client.stream("GET", path, params=query) as answer:
                if answer.is_error:
                    answer.read()
                _check(answer)
                for piece in answer.iter_bytes():
                    write(piece)
        except self._failure as error:
            raise self._unreachable(error) from None

    def close(self) -> None:
        """Close what is open."""
        self._client.close()

    def _unreachable(self, error: Exception) -> UnreachableError:
        if not self.url.startswith(("http://", "https://")):
            return UnreachableError(
                f"{self.url} is no address of a service; WEBAPI_URL and --url take one "
                "such as http://127.0.0.1:9000"
            )
        return UnreachableError(
            f"no service answers at {self.url} ({type(error).__name__}); "
            "start one with `scriptrunner serve` (in a checkout `./WEBAPI/serve.sh`), or "
            "set WEBAPI_URL"
        )


def _check(answer: "httpx.Response") -> None:
    if not answer.is_error:
        return
    try:
        body = answer.json()
        detail, hint = body["detail"], body.get("hint")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError(f"the service answered {answer.status_code}") from None
    if isinstance(detail, list):
        detail = "; ".join(_fault_words(fault) for fault in detail)
    raise RefusedError(f"{str(detail).rstrip('.')}. {hint}" if hint else str(detail))


def _fault_words(fault: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in fault["loc"][1:])
    return f"{place}: {fault['msg']}" if place else str(fault["msg"])


def connect(url: str | None, token_file: Path | None) -> Connection:
    """Return the connection that options and environment ask for.

    It is closed when the command that is running ends.

    Args:
        url: ``--url``; None for ``WEBAPI_URL`` or the default.
        token_file: ``--token-file``; None for ``WEBAPI_TOKEN`` or no token.
    """
    token = os.environ.get("WEBAPI_TOKEN")
    if token_file is not None:
        token = token_file.read_text(encoding="utf-8").strip()
    address = url or os.environ.get("WEBAPI_URL") or DEFAULT_URL
    connection = Connection(address.rstrip("/"), token or None)
    click.get_current_context().call_on_close(connection.close)
    return connection
