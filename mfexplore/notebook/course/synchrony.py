"""Synchrony: the Kuramoto model."""

from __future__ import annotations

from mfexplore.core.catalogue import system
from mfexplore.notebook.lessons import Exercise


def _coupling_for(coherence: float) -> float:
    """The coupling at which Lorentzian frequencies of half-width 1 have this coherence, by bisection in the theory."""
    low, high = 2.0, 10.0
    model = system("kuramoto")(frequencies="lorentzian", disorder=1.0, temperature=0.0)
    for _ in range(40):
        middle = (low + high) / 2
        found = float(model.theory(coupling=middle)["coherence"].sel(branch="coherent"))
        low, high = (middle, high) if not found >= coherence else (low, middle)
    return low


def _bistable_width() -> float:
    crowd = system("kuramoto")(frequencies="bimodal", disorder=0.5, separation=0.5, temperature=0.0)
    fold, critical = (crowd.landmark(name, "coupling")[0] for name in ("fold", "critical_coupling"))
    return float(critical - fold)


EXERCISES = {
    "coupling_for_half": Exercise(
        lambda: _coupling_for(0.5), 0.01,
        "For the Lorentzian $r$ is known in closed form: solve it for $K$.",
        "$r^2=1-2\\gamma/K$ gives $K=2\\gamma/(1-r^2)$, here $2/(1-\\frac14)$.",
    ),
    "gaussian_onset": Exercise(
        lambda: float(
            system("kuramoto")(frequencies="gaussian", disorder=1.0, temperature=0.0)
            .landmark("critical_coupling", "coupling")[0]
        ), 0.005,
        "$g(0)$ of a normal distribution is one over the square root of $2\\pi$.",
        "$K_c=2/\\pi g(0)=2\\sqrt{2/\\pi}$: only the height of the density in the middle matters for the onset.",
    ),
    "times_smaller": Exercise(
        lambda: 100**0.5, 0.5,
        "The mean of $N$ random arrows has a length of the order $N^{-1/2}$.",
        "$\\sqrt{100}$. Above $K_c$ nothing of the kind happens: that distinguishes an order parameter from noise.",
    ),
    "bistable_width": Exercise(
        _bistable_width, 0.01,
        "The model's `landmark` knows the lines called `fold` and `critical_coupling`, along the coupling.",
        "Between the fold and $K_c$ the state depends on where one comes from. A finite crowd leaves it a little "
        "early.",
    ),
}  # fmt: skip
