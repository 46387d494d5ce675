"""Keep a core busy for a moment and see what that costs: `enable_cost_tracking`.

    scriptrunner run --cost --gate 'cost_total<=0.01' examples/price.py

`result.cost` names the rates and where they are from.
"""

total = 0
for number in range(500_000):
    total += number % 7
print(total)
