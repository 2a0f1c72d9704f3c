"""Growth and chaos: diffusion-limited aggregation and a random recurrent network."""

from __future__ import annotations

import math

from mfexplore.core.catalogue import system
from mfexplore.notebook.lessons import Exercise


def _tip_angle() -> float:
    largest = system("diffusion_limited_aggregation")(size=10_000_000).theory(method="numerical")
    return 360 - 180 / (float(largest["fractal_dimension"]) - 1)


def _thinned_out() -> float:
    dense, dilute = (
        system("diffusion_limited_aggregation")(walker_density=n).theory(method="mean_field") for n in (0.2, 0.1)
    )
    return float(dense["inverse_screening_length"] / dilute["inverse_screening_length"])


def _of_chaos(observable: str, gain: float) -> float:
    return float(system("random_network")(gain=gain).theory()[observable].sel(branch="chaotic"))


EXERCISES = {
    "tip_angle": Exercise(
        _tip_angle, 1.0,
        "Solve (1) for $\\theta$, in degrees: $\\pi$ is 180. What is outside and what is inside make 360 together.",
        "$\\theta=180/0.71=253.5$ degrees are outside, so $106.5$ inside: blunter than the right angle of mean field. "
        "No single tip looks like that, but the mean of the longest ones feels as if it did.",
    ),
    "thinned_out": Exercise(
        _thinned_out, 0.1,
        "Equation (3) with $D_0=\\frac53$.",
        "$2^{1/(2-5/3)}=2^3=8$; with the true dimension it is $2^{1/0.29}=10.9$. A little thinner, and much larger "
        "clusters are fractal.",
    ),
    "variance": Exercise(
        lambda: _of_chaos("variance", 2.0), 0.01,
        "`potential` at the start of the ball is zero at the answer, and `root` finds where. Zero itself is silence.",
        "$\\Delta_0=1.92$. The library solves (7) in the same way, and then lets the ball roll.",
    ),
    "foresight": Exercise(
        lambda: math.log(1000) / _of_chaos("lyapunov_exponent", 2.5), 0.5,
        "An error grows as $e^{\\lambda t}$; the theory of the network has $\\lambda$ as `lyapunov_exponent`.",
        "$\\ln1000/\\lambda=6.91/0.176=39$: every further digit of the start buys 13 membrane times, no more.",
    ),
    "taming_noise": Exercise(
        lambda: float(system("random_network")(gain=1.5).landmark("onset_of_chaos", "noise")[0]), 0.002,
        "First (9): it has no $D$ in it, so its root is $\\Delta_0$. Then (7), solved for $D$.",
        "$\\Delta_0=0.793$ from (9), and $D=\\sqrt{-2V(\\Delta_0)}=0.138$. More noise drives the neurons into "
        "saturation, where they no longer amplify a difference.",
    ),
}  # fmt: skip
