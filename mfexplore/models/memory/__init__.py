"""Memory.

Networks that recall what was stored in their couplings, until they hold too much.

Order: 20
"""
