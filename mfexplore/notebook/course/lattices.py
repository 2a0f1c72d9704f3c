"""Lattices and the limits of mean field: the Ising model."""

from __future__ import annotations

from typing import Any

from scipy.optimize import brentq

from mfexplore.core.catalogue import system
from mfexplore.notebook.lessons import Exercise


def _magnetization(temperature: float) -> float:
    return float(system("ising_lattice")(temperature=temperature).theory(method="exact")["magnetization"])


def _ratio(lattice: str) -> float:
    kind: Any = system("ising_lattice")
    exact, mean_field = (
        kind(lattice=lattice).landmark(name, "temperature")[0]
        for name in ("critical_temperature", "critical_temperature_mean_field")
    )
    return float(exact / mean_field)


EXERCISES = {
    "bethe_triangular": Exercise(
        lambda: float(
            system("ising_lattice")(lattice="triangular").landmark("critical_temperature_bethe", "temperature")[0]
        ), 0.01,
        "Six neighbours. Equation (2) of step 3, with `np.arctanh`.",
        "$T_c=1/\\mathrm{artanh}\\frac15=4.93$: closer to the truth ($4/\\ln3=3.64$) than mean field (6), still far.",
    ),
    "half_magnetized": Exercise(
        lambda: float(brentq(lambda t: _magnetization(t) - 0.5, 2.0, 2.2691, xtol=1e-10)), 0.0004,
        "Solve Yang's formula (4) for $\\sinh(2/T)$ at $m=\\frac12$. Its inverse is `np.arcsinh`.",
        "$\\sinh(2/T)=(1-2^{-8})^{-1/4}$. Half of the magnetization is lost within the last per mille below $T_c$: "
        "that is what an exponent of $\\frac18$ means.",
    ),
    "side_doubled": Exercise(
        lambda: 2 ** (15 / 8 - 2), 0.02,
        "At $T_c$, $\\langle|m|\\rangle$ falls as a power of the side $L$. Fit the slope of the figure, or take the "
        "exponent of the plane: $\\beta=\\frac18$, $\\nu=1$.",
        "$\\langle|m|\\rangle\\propto L^{-\\beta/\\nu}=L^{-1/8}$, so the factor is $2^{-1/8}=0.917$. Mean field has "
        "$N^{-1/4}=L^{-1/2}$ (lesson 1): $0.707$.",
    ),
    "four_in_space": Exercise(
        lambda: _ratio("diamond"), 0.01,
        "`IsingLattice(lattice=\"diamond\").landmark(name, \"temperature\")`, with the names `critical_temperature` "
        "and "
        "`critical_temperature_mean_field`.",
        "0.676, against 0.567 for the square lattice: the same four neighbours, but in space their other paths to each "
        "other are longer, so that they are more nearly independent.",
    ),
}  # fmt: skip
