"""Fail two times, then work: a script to try retries with."""

import os
import sys

attempt = int(os.environ.get("SCRIPT_RUNNER_ATTEMPT", "1"))
print("attempt", attempt)
if attempt < 3:
    print("not this time", file=sys.stderr)
    sys.exit(1)
