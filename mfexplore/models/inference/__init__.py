"""Inference.

Finding what is hidden in noisy data: what is possible, and what an algorithm can reach.

Order: 40
"""
