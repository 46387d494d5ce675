"""The engine's door: run one Python script, without a server and without a database.

From a program::

    from runner import ScriptRunner

    result = ScriptRunner("etl.py", args=["--fast"], timeout=60).run()

From a shell: ``python runner.py [options] script.py [args...]``, see ``--help``.
"""

from scriptrunner.engine.events import StructuredLogger
from scriptrunner.engine.runner import ScriptRunner
from scriptrunner.engine.visualizer import ExecutionVisualizer

__all__ = ["ExecutionVisualizer", "ScriptRunner", "StructuredLogger"]

if __name__ == "__main__":
    from scriptrunner.cli.script import main

    main()
