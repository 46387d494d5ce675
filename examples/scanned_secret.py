"""Keep a password in the source: a script that `enable_secret_scanning` stops.

    scriptrunner run --secret-scan examples/scanned_secret.py

The line below shows what is accepted: a value that comes from the environment.
"""

import os

password = "correct-horse-battery"  # noqa: S105 - made up, and what the example is about
password = os.environ.get("REPORT_PASSWORD", password)
print("a password of", len(password), "characters")
