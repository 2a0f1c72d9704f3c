"""Decisions.

Choices under uncertainty: crowds that vote, answers that are biased, trades that move the price they pay.

Order: 80
"""
