"""Show where a script works and what it is told: folder, variables, log level.

    scriptrunner run --working-dir docs --env COLOUR=green --env API_TOKEN=hidden --log-level debug examples/surroundings.py

`API_TOKEN` looks like a secret: the record shows *** and so does the log.
"""

import os
from pathlib import Path

print("folder", Path.cwd().name)
for name in ("COLOUR", "API_TOKEN", "SCRIPT_RUNNER_LOG_LEVEL"):
    print(name, os.environ.get(name))
