"""Never end by itself: a script for `timeout`, and one for `dry_run`.

    scriptrunner run --timeout 1 examples/endless.py
    scriptrunner run --dry-run --timeout 1 --retry 3 examples/endless.py

What it printed until then is kept. The dry run starts nothing and says what it would do.
"""

import time

print("still here", flush=True)
while True:
    time.sleep(60)
