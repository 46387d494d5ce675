"""Start slowly, then hurry: samples show when. `monitor_interval` and `stream_output`.

    scriptrunner run --monitor-interval 0.05 --stream-output examples/sampled.py

GET /api/runs/{run_id}/samples gives the curve; each line is in the service's log, too.
"""

import time

print("slowly")
time.sleep(0.2)
print("fast")
end = time.monotonic() + 0.2
while time.monotonic() < end:
    pass
