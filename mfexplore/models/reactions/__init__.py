"""Reactions.

Molecules and individuals that are born, meet and vanish: rate equations, and what chance makes of them.

Order: 80
"""
