"""Disorder.

Random links and random surroundings: what conducts, walks or spreads in them, and how far.

Order: 35
"""
