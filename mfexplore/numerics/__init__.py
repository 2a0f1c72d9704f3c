"""Building blocks that know no physics.

- `kernel`: the one way a kernel is compiled, and how compiled kernels are kept; `later`: functions of SciPy that are
  loaded when they are first called.
- `functions`: `elementary` ones that vectorise; integrals (`quadrature`); averages over a `gaussian` field;
  `gaussian_pairs` of variables; the laws of Tracy and Widom (`tracy_widom`); `log_sums`.
- `solving`: fixed points accelerated (`anderson`); roots followed along a row (`continuation`); a `memory_equation`.
- `matrices`: products at the speed of memory (`matrix_vector`, `aligned`, `prefetch`); BLAS on one thread (`blas`);
  small systems inside kernels (`linear`, `inverse`); spectra of `tridiagonal` matrices; lowest eigenvalues without a
  matrix (`lanczos`); springs and resistors at rest (`conjugate_gradients`); normal modes of bosons (`bogoliubov`); do
  levels repel (`level_statistics`)?
- `chance`: `random` numbers inside kernels; noise with a long memory (`fractional_noise`); errors of averages
  (`statistics`).
- `space`: periodic `lattices`; sums over images of dipoles (`ewald`); how points fill the plane (`box_counting`);
  `wavelets` of a square picture.
"""
