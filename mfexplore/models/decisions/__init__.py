"""Decisions.

Answers, votes, prices and self-reinforcing judgements: what many or repeated decisions drift to, and how soon.

Order: 90
"""
