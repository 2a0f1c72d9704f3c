"""Fronts.

A state that grows into another one and moves: how fast it goes, what decides that, and how little noise it bears.

Order: 85
"""
