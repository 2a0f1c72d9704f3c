"""Spins on sparse random graphs, solved by messages along edges.

- `graphs`: graphs as arrays that kernels can walk along: random ones, and the square lattice.
- `messages`: belief propagation and heat bath on a given graph.
- `population`: the distribution of messages on an infinite graph as a crowd of samples.
- `density_evolution`: the same distribution on a grid, by convolution.
- `replica_symmetric`: the states that such distributions stand for: ferromagnet, spin glass, their stability.
"""
