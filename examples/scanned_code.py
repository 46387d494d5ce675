"""Hand an argument to a shell: a script that `enable_code_analysis` keeps from starting.

    scriptrunner run --code-analysis examples/scanned_code.py

Whoever chooses the argument chooses the command. `subprocess.run(["echo", word])` would do.
"""

import os
import sys

word = sys.argv[1] if len(sys.argv) > 1 else "hello"
os.system(f"echo {word}")  # noqa: S605 - what the example is about
