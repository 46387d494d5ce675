"""The engine's door: run one Python script, without a server and without a database.

From a program::

    from runner import ScriptRunner

    result = ScriptRunner("etl.py", args=["--fast"], timeout=60).run()

From a shell: ``python runner.py [options] script.py [args...]``, see ``--help``.

``HistoryManager`` keeps results in a file and finds them again; it is loaded when it is
named, because the library behind it is larger than all of the engine.
"""

import sys
from typing import TYPE_CHECKING, Any

from scriptrunner.engine.events import StructuredLogger
from scriptrunner.engine.visualizer import ExecutionVisualizer
from scriptrunner.standalone import ScriptRunner

if TYPE_CHECKING:
    from scriptrunner.history.manager import HistoryManager

__all__ = [
    "ExecutionVisualizer",
    "HistoryManager",
    "ScriptRunner",
    "StructuredLogger",
]


def __getattr__(name: str) -> Any:
    if name != "HistoryManager":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from scriptrunner.history.manager import (  # noqa: PLC0415 - loads SQLAlchemy
        HistoryManager,
    )

    return HistoryManager


if __name__ == "__main__":
    try:
        from scriptrunner.cli.script import main
    except ModuleNotFoundError as error:
        sys.exit(
            f"The Python package {error.name} is missing here. Install what is needed by"
            " `pip install -r WEBAPI/requirements.txt`, or use the environment that"
            " `./WEBAPI/serve.sh` makes: `.venv/bin/python runner.py ...`."
        )
    main()
