"""Whether a simulation shows the state that theory names: judged by its samples, one by one, not by their mean alone.

Eight samples of which four have retrieved a memory and four have not have a mean, and a standard error that excuses
nearly everything; but no single one of them is where the mean is.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.declaration import Observable, Side
from mfexplore.core.model import Model
from mfexplore.figures.scale import Scale

NEAR = 0.05  # of the observable's range: what is closer is the same state, whatever its error
CLOSE, FAR = 2.5, 5.0  # standard errors: up to the first they agree, beyond the second they differ
NOTHING = 5e-7  # a zero that was solved for numerically, an error that is rounding
APART = 0.55, 0.7  # of the range of all samples, left empty between two groups; the second where one sample is a group

Verdict = Literal["agrees", "open", "differs"]


class Sampled(NamedTuple):
    """An observable over independent samples: mean (or median) with its standard error, how many count, and these."""

    mean: float
    error: float
    samples: int
    values: tuple[float, ...] = ()


class Judged(NamedTuple):
    """title: the verdict in a word or two. words: a sentence, or nothing where there is nothing more to say."""

    verdict: Verdict
    title: str
    words: str = ""


NOT_YET = Judged("open", "not compared yet")
ALONE = Judged("open", "theory alone")


def compare(model: Model, name: str, branches: NDArray[Any], shown: int, sampled: Sampled) -> Judged:
    """Whether the samples of an observable are in the state `shown` of the theory.

    Args:
        name: of the observable.
        branches: it on every branch (of one method), NaN where there is no such state; at `shown` there is.
    """
    observable = model.observable(name)
    scale = Scale(observable)
    states = scale.place(branches.astype(float))
    mean, error = _placed(scale, sampled)
    each = scale.place(np.array(sampled.values or (sampled.mean,), float))
    if not np.isfinite(states[shown]):
        return ALONE
    if sampled.samples < 2 or not (np.isfinite(mean) and np.isfinite(error)):
        return Judged("open", "too few samples to tell")
    near = _near(observable, [*branches, sampled.mean])
    gaps = np.abs(states - mean)
    groups = [each] if observable.heavy_tailed and not observable.is_logarithmic else divided(each, near)
    if len(groups) > 1:
        return _of_groups(model, states, shown, groups, near, scale)
    if gaps[shown] <= max(near, CLOSE * error) and error <= near:
        return Judged("agrees", "simulation agrees")
    if gaps[shown] <= FAR * error:
        return Judged("open", "too few samples to tell")
    if error <= near and (gaps <= near).any():
        return Judged("open", "simulation elsewhere", f"The simulation is near the {_name(model, gaps)} state.")
    return Judged(
        "differs", "simulation differs", f"Theory and simulation differ by more than the error: {model.caveat()}."
    )


def _of_groups(
    model: Model, states: NDArray[np.float64], shown: int, groups: list[NDArray[np.float64]], near: float, scale: Scale
) -> Judged:
    """How many of the samples are where theory says, and where the others are."""
    here = others = 0
    elsewhere, known = [], True
    for group in groups:
        gaps = np.abs(states - np.median(group))
        if gaps[shown] <= max(near, np.ptp(group)) and gaps[shown] == np.nanmin(gaps):
            here += len(group)
            continue
        others += len(group)
        is_state = bool(np.nanmin(gaps) <= near)
        known &= is_state
        value = scale.value(float(np.median(group)))
        elsewhere.append(f"near the {_name(model, gaps)} state" if is_state and model.branches else f"at {value:.3g}")
    count = here + others
    words = f"{here or 'None'} of {count} simulations {'is' if here == 1 else 'are'} in this state, "
    words += f"{others} {'is' if others == 1 else 'are'} {' or '.join(dict.fromkeys(elsewhere))}."
    return Judged("open" if known and here else "differs", "simulations divide", words)


def divided(each: NDArray[np.float64], near: float) -> list[NDArray[np.float64]]:
    """The samples as one group, or as two if they leave most of their range empty: they are in different states then.

    each: shape (n,). near: a difference that does not count.
    """
    values = np.sort(each[np.isfinite(each)])
    if len(values) < 2:
        return [values]
    steps = np.diff(values)
    k = int(np.argmax(steps))
    alone = min(k + 1, len(values) - k - 1) == 1
    if steps[k] <= max(2 * near, APART[alone] * (values[-1] - values[0])):
        return [values]
    return [values[: k + 1], values[k + 1 :]]


def against_exact(model: Model, observable: str, value: float, exact: float) -> Judged:
    """Whether a value of the theory is the exact one of this size."""
    declared = model.observable(observable)
    scale = Scale(declared)
    places = scale.place(np.array([value, exact], float))
    if abs(places[0] - places[1]) <= _near(declared, [value, exact]):
        return Judged("agrees", "exact value agrees")
    return Judged("differs", "exact value differs", f"The exact value at this size is {exact:.3f}.")


def beyond(observable: Observable, value: float, bound: Side, sampled: Sampled) -> bool:
    """Whether what was measured is clearly on the wrong side of a bound."""
    scale = Scale(observable)
    (place,), (mean, error) = scale.place(np.array([value])), _placed(scale, sampled)
    unclear = _near(observable, [value, sampled.mean]) if _has_range(observable) else 0.0
    over = mean - place if bound == "upper" else place - mean
    return bool(over > max(FAR * error, unclear, NOTHING * max(1.0, abs(place))))


def _placed(scale: Scale, sampled: Sampled) -> tuple[float, float]:
    """Mean and standard error on the scale of the observable."""
    mean, error, *_ = sampled
    if not scale.is_log:
        return mean, error
    return float(scale.place(np.array([mean]))[0]), error / (max(mean, 1e-300) * float(np.log(10)))


def _has_range(observable: Observable) -> bool:
    return observable.low is not None and observable.high is not None


def _near(observable: Observable, values: list[float]) -> float:
    """A difference, on the scale of the observable, that does not count: a part of the range that is declared, or where
    nobody has said that, of what these values reach.
    """
    scale, known = Scale(observable), np.array(values, float)
    if _has_range(observable) or scale.is_log:
        low, high = scale.place(np.array(scale.range(known, observable.low, observable.high)))
        return NEAR * float(high - low)
    known = known[np.isfinite(known)]
    return max(NOTHING, NEAR * float(max(np.ptp(known), np.abs(known).max(initial=0.0))))


def _name(model: Model, gaps: NDArray[np.float64]) -> str:
    return model.branches[int(np.nanargmin(gaps))].title if model.branches else "theory's"
