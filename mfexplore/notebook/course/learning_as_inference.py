"""Learning as inference: how much a perceptron stores, and what it learns from a teacher."""

from __future__ import annotations

import math

from mfexplore.core.catalogue import system
from mfexplore.notebook.lessons import Exercise


def _hard_interval() -> float:
    found = (
        system("teacher_student")().landmark(name, "load")[0]
        for name in ("algorithmic_threshold", "information_threshold")
    )
    algorithmic, possible = found
    return float(algorithmic - possible)


EXERCISES = {
    "separable": Exercise(
        lambda: sum(math.comb(83, k) for k in range(40)) / 2**83, 0.003,
        "Cover's sum (1) over all $2^M$ ways to label. `math.comb` counts exactly.",
        "$2\\sum_{k<40}\\binom{83}k/2^{84}=0.330$: slightly beyond $M=2N$, and already unlikely.",
    ),
    "with_a_margin": Exercise(
        lambda: float(system("perceptron_storage")(margin=1.0).landmark("capacity", "load")[0]), 0.003,
        "Equation (2) with $\\kappa=1$. The integral is $(1+\\kappa^2)\\Phi(\\kappa)+\\kappa\\varphi(\\kappa)$, or a "
        "sum on a "
        "fine grid.",
        "$1/\\alpha_c=2\\Phi(1)+\\varphi(1)=1.925$: a margin of one standard deviation costs three quarters of the "
        "capacity.",
    ),
    "smooth_learning": Exercise(
        lambda: float(
            system("teacher_student")(load=2.0, prior="gaussian").equilibrium()["generalization_error"]
        ), 0.003,
        "In `state_evolution` the last line is now $q=R/(1+R)$; then step 3. Or ask the library, with "
        "`prior=\"gaussian\"`.",
        "With a Gaussian teacher the overlap grows without a jump; at two questions per weight 17 % of the answers are "
        "still wrong.",
    ),
    "hard_interval": Exercise(
        _hard_interval, 0.01,
        "The model's `landmark`s are called `information_threshold` and `algorithmic_threshold`, along the load.",
        "$1.493-1.245$: with fewer questions nobody could know the teacher, with more message passing finds it, and in "
        "between one could know and no fast way is known.",
    ),
}  # fmt: skip
