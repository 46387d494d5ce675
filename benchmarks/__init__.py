"""What we claim about speed, as comparisons that anybody can run.

``python -m benchmarks`` lists them, ``python -m benchmarks throughput`` runs one. Each
prints medians, and ratios against the bare floor measured in the same interleaved run.
Nothing here asserts a time: machines differ, ratios hold.
"""
