"""Messages: the equations of Thouless, Anderson and Palmer, and belief propagation."""

from __future__ import annotations

from typing import Any

from mfexplore.core.catalogue import system
from mfexplore.core.model import Model
from mfexplore.notebook.lessons import Exercise


def _four_spins(method: str) -> float:
    model = system("tap_ladder")(size=4, disorder=0.0, ferromagnetic_bias=1.0, field=0.2, temperature=1.0)
    return float(model.theory(method=method)["magnetization"])


def _five_neighbours(**controls: float) -> Model:
    kind: Any = system("bethe_propagation")
    model: Model = kind(degree=5, **controls)
    return model


def _freezing() -> float:
    return float(_five_neighbours(antiferromagnetic_fraction=0.5).landmark("spin_glass", "temperature")[0])


EXERCISES = {
    "exact_of_four": Exercise(
        lambda: _four_spins("exact"), 0.001,
        "Sixteen states: `itertools.product((-1, 1), repeat=4)`. With $S$ the sum of the spins, the pairs contribute "
        "$\\frac14(S^2-4)/2$.",
        "$0.396$: the mean of $S/4$ with the weights $e^{(S^2-4)/8+0.2S}$.",
    ),
    "tap_of_four": Exercise(
        lambda: _four_spins("tap"), 0.001,
        "All means are equal: equation (1) becomes one equation for $m$. Each spin has three neighbours; repeat it "
        "from "
        "$m=0.5$ until nothing changes.",
        "$m=\\tanh[0.2+\\frac34m-\\frac3{16}m(1-m^2)]$. Naive mean field, without the last term, says $0.541$; "
        "TAP says $0.424$, much closer to the true $0.396$.",
    ),
    "freezing": Exercise(
        _freezing, 0.005,
        "Second condition of (4), with $B=c-1=4$.",
        "$4\\tanh^2(1/T)=1$, so $T=1/\\mathrm{artanh}\\frac12$.",
    ),
    "too_many_signs": Exercise(
        lambda: float(
            _five_neighbours(temperature=_freezing()).landmark("ferromagnet", "antiferromagnetic_fraction")[0]
        ), 0.003,
        "Where both conditions of (4) hold at once.",
        "With $\\tanh(1/T)=B^{-1/2}$ the first says $1-2\\rho=B^{-1/2}=\\frac12$. Beyond $\\rho=\\frac14$ there is "
        "no magnet at this temperature.",
    ),
}  # fmt: skip
