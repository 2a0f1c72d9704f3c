"""Chance: random numbers inside kernels, errors of averages."""
