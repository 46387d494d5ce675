"""A worker ends when the process that started it is gone.

Otherwise the workers of a killed parent would hold the port, and no other service could
start there, while nobody would replace them either.
"""

import logging
import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess

logger = logging.getLogger(__name__)


def end_with_parent() -> None:
    """Watch over the parent, if this is a worker that ``multiprocessing`` started."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(
            target=_watch, args=(parent,), name="parent-watch", daemon=True
        ).start()


def _watch(parent: BaseProcess) -> None:
    parent.join()
    logger.warning("the parent of this worker is gone: ending")
    os.kill(os.getpid(), signal.SIGTERM)
