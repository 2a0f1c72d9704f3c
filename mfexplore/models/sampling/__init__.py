"""Sampling.

Machines that learn to produce what they were shown: energies, chains and flows, and what each of them can reach.

Order: 70
"""
