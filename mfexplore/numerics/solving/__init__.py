"""Solving equations: fixed points accelerated, roots followed along a row, equations with a memory."""
