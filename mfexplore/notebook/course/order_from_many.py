"""Order from many: the Curie-Weiss ferromagnet."""

from __future__ import annotations

from mfexplore.core.catalogue import system
from mfexplore.notebook.lessons import Exercise


def _barrier() -> float:
    states = system("curie_weiss")(temperature=0.6, field=-0.12).theory().free_energy
    return float(states.sel(branch="unstable") - states.sel(branch="up"))


EXERCISES = {
    "susceptibility": Exercise(
        lambda: float(system("curie_weiss")(temperature=1.5).equilibrium()["susceptibility"]), 0.02,
        "Differentiate both sides of $m=\\tanh[(Jm+h)/T]$ with respect to $h$, at $m=h=0$.",
        "At $m=0$ the tangent has the slope one, so $\\chi=(J\\chi+1)/T$, that is $\\chi=1/(T-J)$: the law of Curie "
        "and "
        "Weiss. It diverges at $T_c=J$.",
    ),
    "spinodal_field": Exercise(
        lambda: float(system("curie_weiss")(temperature=0.3).landmark("spinodal_down", "field")[0]), 0.001,
        "First $m_s$, then $h_s$. The inverse hyperbolic tangent is `np.arctanh`.",
        "With $m_s=\\sqrt{0.7}$, $h_s=m_s-0.3\\,\\mathrm{artanh}\\,m_s$. The library solves the same two equations.",
    ),
    "more_spins": Exercise(
        lambda: 0.5**-4, 0.5,
        "The law is a power of $N$: which one?",
        "$\\langle|m|\\rangle\\propto N^{-1/4}$, so half the noise costs $2^4$ times the spins. For independent spins "
        "$2^2$ would do.",
    ),
    "barrier": Exercise(
        _barrier, 0.0005,
        "Both states solve the same equation: the model's `theory()` has them by the names `up` and `unstable`, and "
        "their `free_energy`. Or find the two roots yourself, and put them into $f(m)$.",
        "$\\Delta f$ is the difference of $f$ between the pass (`unstable`) and the valley (`up`). It is small, but in "
        "the exponent it is multiplied by $N/T$: patience grows exponentially with the number of spins.",
    ),
}  # fmt: skip
