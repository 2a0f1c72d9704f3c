"""Spreading, extinction, cycles: contact process, epidemics on networks, May and Leonard."""

from __future__ import annotations

import math

from mfexplore.core.catalogue import system
from mfexplore.notebook.lessons import Exercise

EXERCISES = {
    "pair_threshold": Exercise(
        lambda: float(system("contact_process")(dimension=3).landmark("pair_threshold", "infection_rate")[0]), 0.005,
        "Six neighbours, and the last line of step 2.",
        "$z/(z-1)=\\frac65$. The truth is 1.317, mean field says 1: with more neighbours all three come together.",
    ),
    "final_size": Exercise(
        lambda: float(
            system("spatial_network_sir")(transmission=1.0, mean_degree=4.0).theory(method="edge_based")["final_size"]
            .sel(branch="epidemic")
        ), 0.003,
        "A link transmits with probability $\\frac12$. Repeat $z\\leftarrow1-e^{-R_0z}$ from $z=1$.",
        "$R_0=4\\cdot\\frac12=2$ and $z=0.797$; mass action, with $R_0=4$, would have said 0.980.",
    ),
    "period": Exercise(
        lambda: 2 * math.pi / float(system("may_leonard")().theory()["frequency"].sel(branch="coexistence")), 0.3,
        "Equation (4): the imaginary part of the eigenvalue is the angular frequency.",
        "$c_1=\\frac18$, so the densities turn at $\\sqrt3/8=0.217$ per generation: $2\\pi/0.217=29.0$.",
    ),
    "slow_decay": Exercise(
        lambda: 100**-0.159464, 0.03,
        "A power law, with the exponent of directed percolation: 0.159. (That of a single run scatters by 0.03.)",
        "$100^{-0.159}=0.48$, where mean field's $1/t$ says 0.01.",
    ),
}  # fmt: skip
