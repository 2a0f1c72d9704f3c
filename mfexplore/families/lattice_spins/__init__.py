"""Ising spins whose neighbours are few: on lattices, and on the tree that a lattice looks like from close by.

- `bit_lattice`: Metropolis updates of a square lattice, 64 spins to a machine word.
- `metropolis`: single-spin updates on any lattice.
- `clusters`: cluster updates (Wolff; Swendsen and Wang) on any lattice.
- `enumeration`: all states of a few spins: density of states, means and correlations.
- `bethe_lattice`: the ferromagnet on an infinite tree, and by mean field.
- `planar`: exact solutions of planar lattices, infinite and on a torus.
- `corner_network`: planar graphs with any couplings: partition function, correlations and zeros of a unitary walk.
- `lattice_green`: logarithmic determinant and Green's function of planar lattices.
"""
