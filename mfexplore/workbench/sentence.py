"""What the picture means at the marker, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mfexplore.core.declaration import Observable, Verdict, sentence_case
from mfexplore.core.model import Model

if TYPE_CHECKING:
    import xarray as xr


CLEAR = 5, 0.05  # standard errors, and a part of the observable's range: theory and simulation differ by more than both
NOTHING = 5e-7  # a zero that was solved for numerically, an error that is rounding


@dataclass(frozen=True)
class Sentence:
    """headline: the phase. text: numbers of theory and simulation, and what they mean. validity: one line on whether
    the theory may be trusted here; trusted says the same as a bool.
    """

    headline: str
    text: str
    validity: str
    trusted: bool

    @property
    def plain(self) -> str:
        return f"{self.headline}. {self.text} {self.validity}."


def number(value: float, error: float | None = None) -> str:
    """A value with three digits, or with as many as its standard error leaves meaningful."""
    if not np.isfinite(value):
        return "∞" if value > 0 else "-∞" if value < 0 else "unknown"
    if error is None or not np.isfinite(error) or error < NOTHING * max(1.0, abs(value)):
        value = 0.0 if abs(value) < NOTHING else value
        if abs(value) >= 1e6 or 0 < abs(value) < 1e-3:
            return f"{value:.3g}"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"
    leading = int(np.floor(np.log10(error)))
    starts_with_one = error < 2 * 10.0**leading  # 0.0012 rounded to 0.001 would lose a fifth of it
    digits = max(0, min(9, -leading + starts_with_one))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def departure(model: Model, branches: xr.DataArray, shown: int, measured: tuple[float, float, int]) -> tuple[str, bool]:
    """A sentence if the simulation is clearly not in the state `shown` of the theory: in which it is, if in any; and
    whether it is in none.

    branches: the observable on every branch (of one method), NaN where there is no such state.
    """
    mean, error, _ = measured
    observable = model.observable(str(branches.name))
    values = np.atleast_1d(branches.values).astype(float)
    low = observable.low if observable.low is not None else min(mean, *values[np.isfinite(values)])
    high = observable.high if observable.high is not None else max(mean, *values[np.isfinite(values)])
    gap, unclear = np.abs(values - mean), CLEAR[1] * (high - low)
    if gap[shown] <= max(CLEAR[0] * error, unclear) or not np.isfinite(error):
        return "", False
    if (gap <= unclear).any():  # nothing less: half of the samples here and half there have a large error, and no state
        return f"The simulation is near the {model.branches[int(np.nanargmin(gap))].title} state.", False
    return f"Theory and simulation differ by more than the error: {model.caveat()}.", True


def sentence(
    model: Model,
    theory: xr.Dataset,
    observable: str,
    branch: str | None = None,
    method: str | None = None,
    measured: tuple[float, float, int] | None = None,
) -> Sentence:
    """Describe one point.

    Args:
        theory: `model.theory()` at the point.
        observable: the one whose value is told.
        branch, method: whose value (None: the equilibrium branch, the first method).
        measured: mean, standard error and number of samples of an ensemble at this point, if there is one.
    """
    if "method" in theory.dims:
        theory = theory.sel({"method": method or model.methods[0].name})
    phase = int(theory["phase"]) if "phase" in theory and theory["phase"].ndim == 0 else -1
    headline = sentence_case(model.phases[phase].title) if phase >= 0 else model.title
    equilibrium = int(theory["equilibrium"]) if "equilibrium" in theory else 0
    index = [b.name for b in model.branches].index(branch) if branch and model.branches else equilibrium
    at = theory.isel(branch=index) if model.branches and index >= 0 else theory
    parts = []
    simulated = ""
    if measured is not None:
        mean, error, samples = measured
        value_words = "undefined" if np.isnan(mean) else number(mean, error)
        rounded = [words for control, words in model.rounding().items() if control != "size"]  # which the extent tells
        simulated = f"{value_words} in {samples} simulations {model.extent()}".rstrip()
        simulated += f" (with {', '.join(rounded)})" if rounded else ""
    unknown = bool(model.branches) and index < 0
    solved = unknown and bool(theory["converged"].all())  # then states are known, but none of them is the one
    value = np.nan if unknown else float(at[observable])
    title = model.observable(observable).title
    of = [next(m.title for m in model.methods if m.name == (method or model.methods[0].name))] if model.methods else []
    of += [f"{model.branches[index].title} branch"] if model.branches and index >= 0 else []
    branch_words = f" ({', '.join(of)})" if of else ""
    if solved:
        parts.append("No state of the theory is stable here.")
    elif np.isnan(value):
        parts.append(
            f"There is no {model.branches[index].title} state here." if model.branches and bool(at["converged"])
            else "The equations were not solved here, so nothing is shown."
        )  # fmt: skip
    else:
        told = f"{sentence_case(title)} {number(value)} in theory{branch_words}"
        parts.append(f"{told}, {simulated}." if simulated else f"{told}.")
    if simulated and np.isnan(value):
        parts.append(f"{sentence_case(title)} {simulated}.")
    if phase >= 0:
        parts.append(model.phases[phase].doc)
    # Where the branch that is shown does not exist, the words are about the equilibrium, and so is the verdict.
    judged = theory.isel(branch=equilibrium) if np.isnan(value) and model.branches and equilibrium >= 0 else at
    code = int(judged["validity"].max()) if solved or not unknown else 0
    differs = False
    judging = next((m for m in model.methods if m.name == (method or model.methods[0].name)), None)
    if judging is not None and measured is not None and not np.isnan(value) and judging.bound is not None:
        violated = _violated(model.observable(observable), value, judging.bound, measured)
        parts.insert(1, f"The {judging.bound} bound is {'violated' if violated else 'respected'} by the simulation.")
        differs = violated
    elif judging is not None and not model.describes(judging):
        if measured is not None:
            parts.insert(1, "This theory is of another option than the one that is simulated.")
    elif measured is not None and not np.isnan(value):
        departed, differs = departure(model, theory[observable], index if model.branches else 0, measured)
        if departed and not (code and differs):  # a failure of the theory is the better reason
            parts.insert(1, departed)
    if code:
        failure = model.failures[code - 1]
        return Sentence(headline, " ".join([*parts, failure.doc]), failure.title, False)
    if solved:
        return Sentence(headline, " ".join(parts), "no stable state", False)
    if unknown or not bool(at["converged"]):
        return Sentence(headline, " ".join(parts), "not converged", False)
    if differs:
        return Sentence(headline, " ".join(parts), "simulation differs", False)
    return Sentence(headline, " ".join(parts), "theory valid here", True)


def _violated(
    observable: Observable, value: float, bound: Literal["upper", "lower"], measured: tuple[float, float, int]
) -> bool:
    """Whether what was measured is clearly on the wrong side of a bound."""
    mean, error, _ = measured
    low, high = (min(value, mean) if observable.low is None else observable.low), observable.high
    unclear = CLEAR[1] * ((max(value, mean) if high is None else high) - low)
    beyond = mean - value if bound == "upper" else value - mean
    return bool(beyond > max(CLEAR[0] * error, unclear * (observable.low is not None and high is not None)))


def judgement(judged: Verdict) -> str:
    """What a student is told of a guess."""
    word = "Right" if judged.right else "Not quite"
    return f"{word}: the answer is {number(judged.truth)} (you said {judged.guess:g})."
