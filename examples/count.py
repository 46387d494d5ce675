"""Count slowly, so that there is something to watch: count.py [NUMBERS] [SECONDS]."""

import sys
import time

numbers = int(sys.argv[1]) if len(sys.argv) > 1 else 10
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0

for number in range(1, numbers + 1):
    print("number", number)
    time.sleep(seconds)
