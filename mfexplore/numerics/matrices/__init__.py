"""Matrices and vectors: products at the speed of memory, small systems inside kernels, spectra."""
