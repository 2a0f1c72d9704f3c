"""Replica theory of spins in Gaussian fields.

- `nested`: nested Gaussian averages with exponents, which the tree of states of replica symmetry breaking consists of.
"""
