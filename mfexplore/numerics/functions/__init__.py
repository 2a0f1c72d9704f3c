"""Elementary functions that vectorise, integrals, averages over Gaussian fields, pairs, Tracy-Widom laws, log sums."""
