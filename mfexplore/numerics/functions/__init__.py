"""Functions: elementary ones that vectorise, averages over a Gaussian field, pairs of them, Tracy-Widom laws."""
