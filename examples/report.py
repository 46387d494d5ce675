"""Fail on purpose, and have a CI system read why: `junit_output`.

    scriptrunner run --junit ci/junit.xml --gate 'stderr_lines<=0' examples/report.py

The report is an output of the run: GET /api/runs/{run_id}/outputs/ci/junit.xml
"""

import sys

print("checked 3 files")
sys.exit("1 of 3 files is <empty> & useless")
