"""Sort a list of a given size, within bounds that `performance_gates` set.

    scriptrunner run --gate 'cpu_time<=5' --gate 'stdout_lines>=1' examples/bounds.py 1000

With a larger list, or a smaller bound, the script still succeeds and the run fails.
"""

import sys

size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
numbers = [(number * 7_919) % 10_007 for number in range(size)]
print("smallest of", size, "numbers:", sorted(numbers)[0])
