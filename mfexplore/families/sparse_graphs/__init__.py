"""Spins on sparse random graphs, solved by messages along edges.

- `graphs`: graphs as arrays that kernels can walk along.
- `population`: the distribution of messages on an infinite graph as a crowd of samples.
- `density_evolution`: the same distribution on a grid, by convolution.
"""
