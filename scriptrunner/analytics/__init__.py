"""What the history of runs says: trends, shifts, outliers, usual values, benchmarks."""
