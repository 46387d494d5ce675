"""Count slowly, so that there is something to watch: count.py [NUMBERS] [SECONDS].

    scriptrunner run examples/count.py 3 0.01

Follow it while it counts: leave the arguments out.
"""

import sys
import time

numbers = int(sys.argv[1]) if len(sys.argv) > 1 else 10
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0

for number in range(1, numbers + 1):
    print("number", number)
    time.sleep(seconds)
