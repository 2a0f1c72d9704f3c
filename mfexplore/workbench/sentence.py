"""What the picture means at the marker, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core import declaration
from mfexplore.core.declaration import Method, sentence_case
from mfexplore.core.model import Model, by_name
from mfexplore.core.solution import values_of
from mfexplore.workbench import agreement
from mfexplore.workbench.agreement import (
    NOTHING,
    Judged,
    Sampled,
    Verdict,
)

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Sentence:
    """headline: the phase. text: numbers of theory and simulation, and what they mean. validity: one line on whether
    the theory may be trusted here; verdict says the same in one word, and "open" as long as nobody knows.
    """

    headline: str
    text: str
    validity: str
    verdict: Verdict

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


def sentence(
    model: Model,
    theory: xr.Dataset,
    observable: str,
    branch: str | None = None,
    method: str | None = None,
    measured: Sampled | None = None,
    exact: float | None = None,
    waits: bool = False,
) -> Sentence:
    """Describe one point.

    Args:
        theory: `model.theory()` at the point.
        observable: the one whose value is told.
        branch, method: whose value (None: the equilibrium branch, the first method).
        measured: the observable in an ensemble at this point, if there is one; waits: there will be one.
        exact: its exact value at the size that is simulated, where that is known.
    """
    judging = by_name("method", method, model.methods) if method else next(iter(model.methods), None)
    of = values_of(theory, judging.name if judging else None)
    phase = int(of("phase")) if "phase" in theory.variables and of("phase").ndim == 0 else -1
    headline = sentence_case(model.phases[phase].title) if phase >= 0 else model.title
    equilibrium = int(of("equilibrium")) if "equilibrium" in theory.variables else 0
    index = [b.name for b in model.branches].index(branch) if branch and model.branches else equilibrium

    def at(name: str, place: int = index) -> Any:
        """The value on a branch; on all if it is not known which."""
        return of(name)[place] if model.branches and place >= 0 else of(name)

    parts = []
    simulated = ""
    if measured is not None:
        mean, error, samples, _ = measured
        value_words = "undefined" if np.isnan(mean) else number(mean, error)
        rounded = [words for control, words in model.rounding().items() if control != "size"]  # which the extent tells
        simulated = f"{value_words} in {samples} simulations {model.extent()}".rstrip()
        simulated += f" (with {', '.join(rounded)})" if rounded else ""
    unknown = bool(model.branches) and index < 0
    solved = unknown and bool(of("converged").all())  # then states are known, but none of them is the one
    value = np.nan if unknown else float(at(observable))
    title = model.observable(observable).title
    whose = [judging.title] if judging else []
    whose += [f"{model.branches[index].title} branch"] if model.branches and index >= 0 else []
    branch_words = f" ({', '.join(whose)})" if whose else ""
    if solved:
        parts.append("No state of the theory is stable here.")
    elif np.isnan(value):
        parts.append(
            f"There is no {model.branches[index].title} state here."
            if model.branches and not unknown and bool(at("converged"))
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
    judged = at("validity", equilibrium if np.isnan(value) and equilibrium >= 0 else index)
    code = int(np.max(judged)) if solved or not unknown else 0
    known = not np.isnan(value)
    found = agreement.NOT_YET if waits and known and measured is None else agreement.ALONE
    if known and measured is not None:
        shown = index if model.branches else 0
        found = _compared(model, judging, observable, np.atleast_1d(of(observable)), shown, measured)
    # An exact mean is over all states at once: it judges a state only where there is no other.
    stable = np.where(of("stable"), of(observable), np.nan)
    alone = len(np.unique(np.round(stable[np.isfinite(stable)], 9))) < 2
    is_estimate = alone and (judging is None or judging.bound is None)
    if known and exact is not None and is_estimate and found.verdict != "agrees":
        truth = agreement.against_exact(model, observable, value, exact)
        if truth.verdict == "differs" or found.verdict == "open":
            found = truth
    if found.words and not (code and found.verdict == "differs"):  # a failure of the theory is the better reason
        parts.insert(1, found.words)
    if code:
        failure = model.failures[code - 1]
        return Sentence(headline, " ".join([*parts, failure.doc]), failure.title, "differs")
    if solved:
        return Sentence(headline, " ".join(parts), "no stable state", "differs")
    if unknown or not bool(at("converged")):
        return Sentence(headline, " ".join(parts), "not converged", "differs")
    return Sentence(headline, " ".join(parts), found.title, found.verdict)


def _compared(
    model: Model, judging: Method | None, observable: str, branches: NDArray[Any], shown: int, measured: Sampled
) -> Judged:
    """What a simulation says of a theory: of an estimate, of a bound, or nothing of a theory of something else."""
    if judging is not None and judging.bound is not None:
        violated = agreement.beyond(model.observable(observable), float(branches[shown]), judging.bound, measured)
        verb = "violated" if violated else "respected"
        words = f"The {judging.bound} bound is {verb} by the simulation."
        return Judged("differs" if violated else "agrees", f"bound {verb}", words)
    if judging is not None and not model.describes(judging):
        return Judged("open", "of another option", "This theory is of another option than the one that is simulated.")
    return agreement.compare(model, observable, branches, shown, measured)


def judgement(judged: declaration.Verdict) -> str:
    """What a student is told of a guess."""
    word = "Right" if judged.right else "Not quite"
    return f"{word}: the answer is {number(judged.truth)} (you said {judged.guess:g})."
