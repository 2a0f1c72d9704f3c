"""Replica theory of spins in Gaussian fields.

- `nested`: nested Gaussian averages with exponents, which the tree of states of replica symmetry breaking consists of.
- `weights`: what share the lowest states have after one step, and how that differs from sample to sample.
"""
