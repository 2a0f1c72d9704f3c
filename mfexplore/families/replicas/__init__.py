"""Replica theory of Ising spins in Gaussian fields, from one overlap to Parisi's continuum.

- `symmetric`: replica symmetry of spins that all couple at random, in a field and with a ferromagnetic bias.
- `failure`: where it fails: the line of de Almeida and Thouless, the line of zero entropy.
- `steps`: the same system with k steps of replica symmetry breaking; `solve` has all branches of both.
- `nested`: nested Gaussian averages with exponents, which the tree of states consists of.
- `p_body`: Ising spins with random couplings between groups of p >= 3, with one step: T_d, T_s, T_G, all branches.
- `weights`: what share the lowest states have after one step, and how that differs from sample to sample.
"""
