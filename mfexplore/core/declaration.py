"""The words a model file uses to declare what it offers, besides its controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mfexplore.core.model import Model


_PROPER = (
    "AdaTron", "AMP", "Anderson", "AT", "Bayes", "Bethe", "Donoho", "Edwards", "Erdos", "Gardner", "Gaussian", "Gibbs",
    "Glauber", "Hebbian", "Hopfield", "Ising", "Lorentzian", "Lyapunov", "Metropolis", "Nishimori", "Parisi", "Plefka",
    "Poisson", "RBM", "Renyi", "RSB", "SBPI", "SK", "Swendsen", "Tanner", "TAP", "Wang", "Wolff",
)  # fmt: skip
PROPER = {name.lower(): name for name in _PROPER}


def in_words(name: str) -> str:
    """A name as people write it: spaces, and capitals for people and abbreviations."""
    return " ".join(PROPER.get(word, word) for word in name.split("_"))


def sentence_case(text: str) -> str:
    """With a capital at the beginning, and the others left as they are."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class Named:
    """Something with a name in the field's words, joined by underscores."""

    name: str

    @property
    def title(self) -> str:
        return in_words(self.name)


@dataclass(frozen=True)
class Observable(Named):
    """An order parameter or thermodynamic quantity: a variable of the returned Dataset.

    low, high: the range a picture of it should span (None: from the data).
    signed: positive and negative values mean different things, so colours diverge from zero.
    over: name of the coordinate if the observable is a function (of lag, energy, order, site, ...).
    thermodynamic: whether an entropy, magnetization, specific heat, ... is the derivative that its name says; where
        not, `doc` says what it is.
    """

    symbol: str
    doc: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    signed: bool = False
    over: str | None = None
    thermodynamic: bool = True


@dataclass(frozen=True)
class Branch(Named):
    """One family of solutions of the theory (a value of the `branch` coordinate).

    thermodynamic: whether the free energy is stationary on it, so that its derivatives are energy, entropy, ...
    """

    doc: str
    thermodynamic: bool = True


@dataclass(frozen=True)
class Method(Named):
    """One of several rival theories of the same system (a value of the `method` coordinate)."""

    doc: str


@dataclass(frozen=True)
class Phase(Named):
    """A region of the phase diagram: what it is called and what it means, in one sentence for a student."""

    doc: str


@dataclass(frozen=True)
class Failure(Named):
    """A way in which the theory itself fails; `doc` tells a student why and what would be right."""

    doc: str


@dataclass(frozen=True)
class Landmark(Named):
    """A phase boundary or special point, solved for by `Model.landmark`. `continuous` lines are drawn solid,
    others (spinodals, crossovers, instabilities of the theory) dashed.
    """

    symbol: str
    doc: str
    continuous: bool = True


@dataclass(frozen=True)
class Plane:
    """Two controls that span a phase diagram, what to colour it by, and along which axis the curve is drawn first."""

    x: str
    y: str
    colour: str
    branch: str | None = None  # None: the equilibrium branch
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    along: Literal["x", "y"] = "y"


@dataclass(frozen=True)
class Promise:
    """What a preset's `watch` says in numbers: theory or a run at the preset must give `value` to within `tolerance`.

    observable: of the theory (at equilibrium, or on `branch`), or a landmark's name if a control `along` is given.
    method: which of the rival theories.
    during: times between which the mean of a run (seed 1) is meant; then nothing is asked of the theory.
    changes: controls that differ from the preset, as a size that suffices.
    """

    observable: str
    value: float
    tolerance: float
    branch: str | None = None
    method: str | None = None
    along: str | None = None
    during: tuple[float, float] | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Preset:
    """A named point worth teaching, chosen by calculation; `watch` says in one sentence what to look at, and
    `promises` hold its numbers, which the contract re-derives.
    """

    name: str
    controls: Mapping[str, Any]
    watch: str
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A published or independently computed value that `compute()` re-derives through the public API.

    tolerance: absolute difference up to which the two count as agreeing.
    """

    title: str
    value: float
    tolerance: float
    source: str
    compute: Callable[[], float] = field(compare=False)


@dataclass(frozen=True)
class Task:
    """Predict, then reveal. The student guesses the value of `along` (a control) or of `observable`.

    answer: computes the truth from the model at `controls`; tolerance: absolute, for a guess to count as right.
    """

    prompt: str
    controls: Mapping[str, Any]
    asked: str
    answer: Callable[[Model], float] = field(compare=False)
    tolerance: float
    lesson: str


@dataclass(frozen=True)
class Source:
    """Where the physics comes from: a short citation and, where known, a DOI or arXiv number."""

    citation: str
    doi: str = ""
    arxiv: str = ""
