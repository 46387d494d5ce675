"""Waiting for the end of a run without holding a thread."""

import asyncio

from starlette.concurrency import run_in_threadpool

from scriptrunner.runs.models import TERMINAL_STATUSES
from scriptrunner.web.live import Watcher, concerns
from scriptrunner.web.runtime import Runtime


async def wait_finished(runtime: Runtime, run_id: str, *, seconds: float) -> None:
    """Return when the run is over, ``seconds`` have passed, or the service ends.

    Raises:
        RunNotFoundError: If there is no such run, or it is deleted meanwhile.
    """
    runs = runtime.services.runs
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds

    def is_finished() -> bool:
        return runs.get_outcome(run_id).status in TERMINAL_STATUSES

    def look() -> tuple[int, bool]:
        return runs.current_change(), is_finished()

    async with runtime.bell.listening() as ear:
        watcher = Watcher(ear, runtime.feed)
        watcher.change, is_over = await run_in_threadpool(look)
        while not is_over and loop.time() < deadline and not runtime.ending.has_begun:
            await watcher.wait(deadline - loop.time())
            changes = await watcher.find_changes()
            if changes is None or not concerns(changes, run_id):
                continue
            item = next((each for each in changes.items if each.id == run_id), None)
            if item is not None:
                is_over = item.status in TERMINAL_STATUSES
            else:  # it is gone, or who knows
                is_over = await run_in_threadpool(is_finished)
