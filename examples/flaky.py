"""Fail two times, then work: a script to try retries with.

    scriptrunner run --retry 3 --retry-strategy fibonacci --retry-delay 0.05 --retry-max-delay 1 --retry-multiplier 2 --retry-max-time 60 examples/flaky.py

Each attempt is in the record, and the pauses between them are in the events.
"""

import os
import sys

attempt = int(os.environ.get("SCRIPT_RUNNER_ATTEMPT", "1"))
print("attempt", attempt)
if attempt < 3:
    print("not this time", file=sys.stderr)
    sys.exit(1)
