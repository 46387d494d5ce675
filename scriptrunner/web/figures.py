"""Figures that many streams show: read once for all of them, and not too often."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from scriptrunner.web.host_status import describe_host
from scriptrunner.web.runtime import Runtime

T = TypeVar("T")

#: Seconds for which figures of the queue, and of the machine, count as fresh.
QUEUE_SECONDS = 0.25
SYSTEM_SECONDS = 2.0


class Shared(Generic[T]):
    """A value that whoever asks first reads for everybody, for so many seconds."""

    def __init__(self, read: Callable[[], T], seconds: float) -> None:
        """Read by ``read``, which may block; a value is fresh for ``seconds``."""
        self._read = read
        self._seconds = seconds
        self._known: dict[asyncio.AbstractEventLoop, tuple[float, asyncio.Task[T]]] = {}

    async def get(self) -> T:
        """Return the value, at most ``seconds`` old.

        Raises: what ``read`` raises.
        """
        loop = asyncio.get_running_loop()
        for other in [each for each in self._known if each.is_closed()]:
            del self._known[other]
        known = self._known.get(loop)
        if known is None or loop.time() - known[0] >= self._seconds:
            task = loop.create_task(run_in_threadpool(self._read))
            known = self._known[loop] = (loop.time(), task)
        return await asyncio.shield(known[1])


class Figures:
    """The queue and the system status, as streams show them."""

    def __init__(self, runtime: Runtime) -> None:
        """Read by the parts of one application."""
        self.queue: Shared[Mapping[str, Any]] = Shared(
            # The services are built at the first use.
            lambda: runtime.services.runs.get_queue(),  # noqa: PLW0108
            QUEUE_SECONDS,
        )
        self.system: Shared[Mapping[str, Any]] = Shared(
            lambda: describe_host(runtime), SYSTEM_SECONDS
        )
