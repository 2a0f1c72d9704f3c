"""Elementary functions that vectorise, integrals, averages over a Gaussian field, pairs of them, Tracy-Widom laws."""
