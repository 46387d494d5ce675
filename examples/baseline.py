"""Do the same work every night and compare it with a good night: baselines.

    scriptrunner run --save-baseline nightly.json examples/baseline.py 1000
    scriptrunner run --load-baseline nightly.json examples/baseline.py 900000

The second run did more, and `baseline_comparison` says how much more of everything.
"""

import sys

count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
print(sum(number * number for number in range(count)))
