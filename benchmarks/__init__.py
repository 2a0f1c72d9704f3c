"""Races of the package against peers and C references, and how its cost grows. Run `python -m benchmarks`."""
