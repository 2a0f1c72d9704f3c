"""Collective motion.

Oscillators, epidemics, species and growing clusters: many simple parts that make one pattern.

Order: 50
"""
