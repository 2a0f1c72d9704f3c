"""Space: lattices, how a set of points fills the plane, wavelets of a square picture."""
