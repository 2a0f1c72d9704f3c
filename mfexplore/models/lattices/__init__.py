"""Magnets and lattices.

Spins that see all others, or only their neighbours: where a mean field is exact, and where it is not.

Order: 10
"""
