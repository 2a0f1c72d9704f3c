"""Dense memory and data: the dense Hebbian network."""

from __future__ import annotations

import numpy as np

from mfexplore.core.catalogue import system
from mfexplore.notebook.lessons import Exercise


def _capacity(order: int) -> float:
    return float(system("dense_hebbian")(temperature=0.0, order=order).landmark("retrieval_spinodal", "load")[0])


def _crosstalk_ratio() -> float:
    examples, quality = np.array([20]), np.array([0.4])
    unsorted, sorted_ = (
        system("dense_hebbian")(setting=setting).crosstalk(np.array([3]), examples, quality)[1]
        for setting in ("unsupervised", "supervised")
    )
    return float(unsorted[0] / sorted_[0])


EXERCISES = {
    "capacity_of_four": Exercise(
        lambda: _capacity(4), 0.0003,
        "Step 3 with $p=4$: compute $\\alpha(y)$ on a fine grid of $y$ and take its maximum.",
        "$\\alpha_c=\\max_y\\mathrm{erf}(y)^6/(12y^2)=0.0330$. That is 33 million memories for 1000 neurons.",
    ),
    "bits_per_coupling": Exercise(
        lambda: 6 * _capacity(3), 0.01,
        "$K$ memories are $KN$ bits. How many couplings $J_{ijk}$ are there, up to the order of their indices?",
        "$\\alpha N^3$ bits on $N^3/6$ couplings: $6\\alpha_c=0.757$. For pairs it is $2\\times0.138=0.276$: the many "
        "memories are not free, they are paid in couplings.",
    ),
    "warmest": Exercise(
        lambda: float(system("dense_hebbian")(load=0.0).landmark("retrieval_spinodal", "temperature")[-1]), 0.003,
        "One memory alone: for which $T$ has $m=\\tanh(m^2/T)$ a solution besides 0? Read it backwards, as $T(m)$.",
        "$T(m)=m^2/\\mathrm{artanh}\\,m$ is largest at $m=0.796$, where it is $0.583$. Pairs recall up to $T=1$, and "
        "gradually; here recall ends with a jump.",
    ),
    "crosstalk_ratio": Exercise(
        _crosstalk_ratio, 0.1,
        "Step 5: the ratio of the two variances.",
        "$\\rho=0.2625$ and $\\rho_3=12.16$, so $13.16/1.2625^3=6.5$.",
    ),
}  # fmt: skip
