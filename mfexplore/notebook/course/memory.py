"""Memory: the Hopfield network."""

from __future__ import annotations

from mfexplore.core.catalogue import system
from mfexplore.notebook.lessons import Exercise

NEURONS = 4096


def _digits_recalled() -> float:
    """The largest number of digits that are recalled with an overlap above 0.9, by the experiment of the lesson."""
    kind = system("hopfield")
    for count in range(1, 9):
        model = kind(memories="digits", load=count / NEURONS, size=NEURONS, temperature=0.05, corruption=0.1)
        if float(model.ensemble(samples=8, seed=1)["overlap"]) <= 0.9:
            return count - 1
    return 8


def _capacity() -> float:
    return NEURONS * float(system("hopfield")(temperature=0.0).landmark("retrieval_spinodal", "load")[0])


def _errors() -> float:
    retrieval = system("hopfield")(temperature=0.0, load=0.1379).theory().sel(branch="retrieval")
    return (1 - float(retrieval["overlap"])) / 2


def _largest_temperature() -> float:
    return float(system("hopfield")(load=0.05).landmark("retrieval_spinodal", "temperature")[-1])


EXERCISES = {
    "random_capacity": Exercise(
        _capacity, 6,
        "Capacity times neurons.",
        "$0.1379\\times4096\\approx565$, and the next one costs you all of them.",
    ),
    "errors_at_capacity": Exercise(
        _errors, 0.002,
        "An overlap $m$ means that a fraction $(1+m)/2$ of the neurons is right.",
        "$m=0.967$ at the end, so $(1-m)/2=1.6\\,\\%$ of the bits are wrong: it does not fade away, it breaks.",
    ),
    "warmest_recall": Exercise(
        _largest_temperature, 0.01,
        "In the workbench: load 0.05, then raise the temperature until the line $T_M$. Or ask the model for the "
        "`landmark` called `retrieval_spinodal`, along the temperature.",
        "The line $T_M$ runs from $T=1$ without load to zero at the capacity; noise and load do the same harm.",
    ),
    "digits_recalled": Exercise(
        _digits_recalled, 0.5,
        "Read it off the red circles.",
        "A handful, where more than five hundred random memories would fit.",
    ),
}  # fmt: skip
