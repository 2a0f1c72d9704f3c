"""Transport.

Currents through what is driven: steady states without detailed balance, and how much must be known to describe them.

Order: 100
"""
