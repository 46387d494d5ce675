"""A caller that does not give up: it repeats what a killed worker did not answer."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

#: Seconds for which a request is repeated.
PATIENCE_SECONDS = 90.0
#: Seconds between two tries.
PAUSE_SECONDS = 0.05
#: Statuses that ask to come again.
LATER = frozenset({503})


class NoAnswerError(Exception):
    """The service did not answer for so long that it counts as gone."""


class Caller:
    """One client with its own connections; not for several threads.

    Args:
        url: Where the service is.
        on_answer: Told each status, for tests that count them.
        later: Statuses after which the request is repeated.
    """

    def __init__(
        self,
        url: str,
        *,
        on_answer: Callable[[int, str], None] | None = None,
        later: frozenset[int] = LATER,
    ) -> None:
        self._url = url
        self._on_answer = on_answer
        self._later = later
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def once(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request once; raises ``httpx.TransportError`` without an answer."""
        answer = self._client.request(method, path, **options)
        if self._on_answer is not None:
            self._on_answer(answer.status_code, f"{method} {path}: {answer.text[:200]}")
        return answer

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request until it is answered; it must be safe to repeat.

        Raises:
            NoAnswerError: If nobody answers for ``PATIENCE_SECONDS``.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        last: object = None
        while time.monotonic() < deadline:
            try:
                answer = self.once(method, path, **options)
            except httpx.TransportError as error:
                last = error
                self._reconnect()
            else:
                if answer.status_code not in self._later:
                    return answer
                last = answer.text
            time.sleep(PAUSE_SECONDS)
        raise NoAnswerError(f"{method} {path}: {last!r}")

    def _reconnect(self) -> None:
        self._client.close()
        self._client = httpx.Client(base_url=self._url, timeout=30, trust_env=False)

    def submit(self, fields: Mapping[str, Any]) -> httpx.Response:
        """Submit a run; repeated with the same key it stays one run."""
        return self.post_once("/api/run", json=dict(fields))

    def post_once(self, path: str, **options: Any) -> httpx.Response:
        """POST until it is answered, with a key that makes all tries one."""
        headers = {"Idempotency-Key": str(uuid4())}
        return self.ask("POST", path, headers=headers, **options)

    def upload(self, fields: Mapping[str, Any], script: Path) -> httpx.Response:
        """Submit a run of an uploaded script; repeated with the same key it stays one."""
        form = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in fields.items()
            if name != "script_path"
        }
        files = {"file": (script.name, script.read_bytes())}
        return self.post_once("/api/run/upload", data=form, files=files)

    def get_json(self, path: str, **options: Any) -> Any:
        """Return the body of a GET, which must be answered with 200."""
        answer = self.ask("GET", path, **options)
        if answer.status_code != 200:
            raise AssertionError(
                f"GET {path}: {answer.status_code} {answer.text[:300]}"
            )
        return answer.json()
