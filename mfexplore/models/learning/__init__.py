"""Learning.

Networks that change, or could: the motion of many neurons as that of a single one, and what examples teach them.

Order: 60
"""
