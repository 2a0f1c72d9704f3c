"""Disorder and glasses: the Sherrington-Kirkpatrick model."""

from __future__ import annotations

from mfexplore.core.catalogue import system
from mfexplore.notebook.lessons import Exercise


def _at_half(observable: str, steps: int) -> float:
    return float(system("sherrington_kirkpatrick")(temperature=0.5, rsb_steps=steps).equilibrium()[observable])


EXERCISES = {
    "triangles": Exercise(
        lambda: 1 / 2, 0.01,
        "Follow the signs around the triangle: what must their product be?",
        "All three are content only if the product of the signs is positive, which holds for 4 of 8 cases.",
    ),
    "overlap": Exercise(
        lambda: _at_half("overlap", 0), 0.003,
        "Repeat $q\\leftarrow\\overline{\\tanh^2(\\sqrt q\\,z/T)}$ from $q=1$; the average is a sum over the points "
        "`z` with "
        "the weights `weight` of the lesson.",
        "It converges within some dozens of rounds. The library solves the same equation by Newton's method.",
    ),
    "symmetric_ground_state": Exercise(
        lambda: float(system("sherrington_kirkpatrick")(temperature=0.0).equilibrium()["energy"]), 0.002,
        "At $T=0$, $q=1$: what is left of (2)? $T\\ln2\\cosh(x/T)\\to|x|$.",
        "$f\\to-\\overline{|z|}=-\\sqrt{2/\\pi}=-0.798$. The truth is $-0.7632$: a theory that is wrong by 5 % where "
        "it is "
        "worst.",
    ),
    "mean_squared_overlap": Exercise(
        lambda: _at_half("overlap_squared", 12), 0.003,
        "The energy is in `equilibrium()` of a model with `rsb_steps=12`; step 6 ties it to the overlap.",
        "$\\langle q^2\\rangle=1+2Te$, at any number of spins. So a simulation can be asked whether it is in "
        "equilibrium: it must obey this.",
    ),
    "at_field": Exercise(
        lambda: float(system("sherrington_kirkpatrick")(temperature=0.6).landmark("at_line", "field")[0]), 0.01,
        "On the line $\\lambda=0$: solve (1) with a field, evaluate (3), and vary the field. The workbench shows the "
        "line, "
        "and the model has it as `landmark(\"at_line\", \"field\")`.",
        "$h=0.383$: unlike the order of a magnet, a glass survives a field.",
    ),
}  # fmt: skip
