"""Glasses.

Disorder with a great many valleys: frozen, but without any order that could be seen.

Order: 30
"""
