"""``python -m scriptrunner``: the command line from a checkout."""

import sys

from scriptrunner.cli import main

if __name__ == "__main__":
    sys.exit(main(program="python -m scriptrunner"))
