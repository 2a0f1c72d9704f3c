"""Matter.

Networks, liquids, membranes and electrolytes: how strong, how structured, how far from ideal.

Order: 110
"""
