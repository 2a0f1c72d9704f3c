"""Random first order: p-spin glasses, the random energy model and its quantum sister."""

from __future__ import annotations

from mfexplore.core.catalogue import system
from mfexplore.notebook.lessons import Exercise

EXERCISES = {
    "entropy_left": Exercise(
        lambda: float(system("random_energy")(temperature=1.0).equilibrium()["entropy"]), 0.005,
        "Step 1: the entropy per spin at the energy where the system sits.",
        "$e=-1/(2T)=-\\frac12$, and $\\ln2-e^2=0.443$ is left of $\\ln2=0.693$.",
    ),
    "same_configuration": Exercise(
        lambda: float(system("random_energy")(temperature=0.45).equilibrium()["participation"]), 0.01,
        "Step 2, with $T_c=1/(2\\sqrt{\\ln2})$.",
        "$1-T/T_c=1-0.45/0.6006=0.251$, on average over samples; single samples have anything.",
    ),
    "plateau": Exercise(
        lambda: float(system("p_spin")(temperature=0.6).theory()["overlap"].sel(branch="glass")), 0.01,
        "Equation (3) with $p=3$ is quadratic. The correlation comes down from 1: which root does it meet first?",
        "$q(1-q)=\\frac23\\cdot0.36=0.24$ has the roots $0.4$ and $0.6$; the plateau is the larger one.",
    ),
    "order_four": Exercise(
        lambda: float(system("p_spin")(order=4).landmark("dynamic_temperature", "temperature")[0]), 0.003,
        "Where is $q^{p-2}(1-q)$ largest, and how large is it there?",
        "At $q=\\frac23$, where it is $\\frac4{27}$. So $T_d^2=\\frac p2\\cdot\\frac4{27}=\\frac8{27}$.",
    ),
    "quantum_melting": Exercise(
        lambda: float(
            system("quantum_random_energy")(temperature=1.0).landmark("first_order", "transverse_field")[0]
        ), 0.005,
        "Equate the two free energies of step 5; above $T_c$ the levels have $-T\\ln2-1/(4T)$.",
        "$\\ln2\\cosh\\Gamma=\\ln2+\\frac14$, so $\\Gamma=\\mathrm{arcosh}\\,e^{1/4}$.",
    ),
}  # fmt: skip
