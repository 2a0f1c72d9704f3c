"""The words a model file uses to declare what it offers, besides its controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mfexplore.core.arguments import number_from
from mfexplore.core.errors import NotOfferedError, UnknownNameError

if TYPE_CHECKING:
    from mfexplore.core.model import Model

WRITTEN_OUT = 0.02  # relative difference of a number and what people write for it

Options = Mapping[str, tuple[str, ...]]  # of a choice: the words under which something exists
Side = Literal["upper", "lower"]  # of a bound


def in_words(name: str) -> str:
    """A name as people write it, where it has no title of its own."""
    return name.replace("_", " ")


def sentence_case(text: str) -> str:
    """With a capital at the beginning, and the others left as they are."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class Named:
    """Something with a name in the field's words, joined by underscores.

    title: as people write it (default: with spaces); wanted where a person's name or an abbreviation is part of it.
    only: the words of choices under which it exists, e.g. `{"kind": ("spherical",)}`; always, if it says nothing.
    """

    name: str
    title: str = field(default="", kw_only=True)
    only: Options = field(default_factory=dict, kw_only=True, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", self.title or in_words(self.name))


@dataclass(frozen=True)
class Observable(Named):
    """An order parameter or thermodynamic quantity: a variable of the returned Dataset.

    low, high: the range a picture of it should span (None: from the data).
    signed: positive and negative values mean different things, so colours diverge from zero.
    over: name of the coordinate if the observable is a function (of lag, energy, order, site, ...).
    scale: "log" where equal ratios matter more than equal differences; it is positive then.
    against: another function over the same coordinate, against which this one is drawn (a parametric curve).
    heavy_tailed: samples of it differ so much that their median is shown, not their mean.
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
    scale: Literal["linear", "log"] = "linear"
    against: str | None = None
    heavy_tailed: bool = False
    thermodynamic: bool = True

    @property
    def is_logarithmic(self) -> bool:
        return self.scale == "log"


@dataclass(frozen=True)
class Coordinate(Named):
    """What an observable may be a function of. discrete: whole numbers, so that values are drawn as bars."""

    symbol: str
    doc: str
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    discrete: bool = False

    @property
    def is_logarithmic(self) -> bool:
        return self.scale == "log"


@dataclass(frozen=True)
class Branch(Named):
    """One family of solutions of the theory (a value of the `branch` coordinate).

    thermodynamic: whether the free energy is stationary on it, so that its derivatives are energy, entropy, ...
    """

    doc: str
    thermodynamic: bool = True


@dataclass(frozen=True)
class Method(Named):
    """One of several rival theories of the same system (a value of the `method` coordinate).

    describes: the words of choices of a simulation that it is the theory of (nothing: of all of them); sentence, path
        and agreement then pair what belongs together.
    bound: "upper" or "lower" where it is no estimate, but what the truth cannot pass; by the names of observables where
        it is that of some of them only.
    """

    doc: str
    describes: Options = field(default_factory=dict, kw_only=True, hash=False)
    bound: Side | Mapping[str, Side] | None = field(default=None, kw_only=True, hash=False)

    def bound_of(self, observable: str) -> Side | None:
        """Which bound of an observable it is; None where it is an estimate."""
        return self.bound.get(observable) if isinstance(self.bound, Mapping) else self.bound


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
    """A phase boundary or special point. `continuous` lines are drawn solid, others (spinodals, crossovers,
    instabilities of the theory) dashed.

    of: the control that `Model.boundary` gives the boundary in; along every other control, and in every plane, it is
        found from that.
    finest: points along an axis of a plane at which its curve is computed before some are added where it is bent; fewer
        for a boundary that takes long.
    """

    symbol: str
    doc: str
    continuous: bool = True
    of: str = field(default="", kw_only=True)
    finest: int = field(default=129, kw_only=True)


@dataclass(frozen=True)
class Plane:
    """Two controls that span a phase diagram, what to colour it by, and along which axis the curve is drawn first.

    finest: points along each axis beyond which a diagram shows nothing new, or takes too long; whoever asks for more
        by number gets them.
    """

    x: str
    y: str
    colour: str
    branch: str | None = None  # None: the equilibrium branch
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    along: Literal["x", "y"] = "y"
    finest: int = 257
    only: Options = field(default_factory=dict, kw_only=True, hash=False)


@dataclass(frozen=True)
class View:
    """How one looks at a point, as far as it matters; the rest stays as the page has it.

    plane: the two controls of the diagram; colour: its observable; along: the control of the curve; series: what is
    traced of all that the run observes, declared or not; picture, function: which picture of the state and which
    observable that is a function.
    """

    plane: tuple[str, str] | None = None
    colour: str | None = None
    along: str | None = None
    branch: str | None = None
    method: str | None = None
    series: str | None = None
    picture: str | None = None
    function: str | None = None


@dataclass(frozen=True)
class Value:
    """What the theory says of an observable: on a branch (None: the equilibrium), by a method (None: the first), and
    for a function at one place of what it is a function of.
    """

    observable: str
    branch: str | None = None
    method: str | None = None
    place: float | None = None

    def of(self, model: Model) -> float:
        """The value at the controls of a model; NaN where there is none. Raises UnknownNameError."""
        method = self.method or (model.methods[0].name if model.methods else None)
        if self.branch is None:
            found = _by_name("observable", self.observable, model.equilibrium(method=method))
        else:
            names = [b.name for b in model.branches]
            if self.branch not in names:
                raise UnknownNameError("branch", self.branch, names)
            found = _by_name("observable", self.observable, model.theory(method=method)).sel(branch=self.branch)
        if self.place is not None:
            found = found.interp({model.observable(self.observable).over: self.place})
        return float(found)


@dataclass(frozen=True)
class Crossing:
    """Where a boundary is crossed along a control: the first crossing, or a later one (the last: -1)."""

    landmark: str
    along: str
    which: int = 0

    def of(self, model: Model) -> float:
        """The value of the control. Raises NotOfferedError where the boundary is not crossed."""
        found = model.landmark(self.landmark, self.along)
        if not -len(found) <= self.which < len(found):
            raise NotOfferedError(model.title, f"{self.landmark} along {self.along} at these controls")
        return float(found[self.which])


@dataclass(frozen=True)
class Exact:
    """The exact value of an observable at finite size."""

    observable: str

    def of(self, model: Model) -> float:
        """The value. Raises UnknownNameError, and NotOfferedError where the system has none at this size."""
        return float(_by_name("observable", self.observable, model.exact()))


@dataclass(frozen=True)
class Mean:
    """What a run (seed 1) shows: the mean of an observable between two times."""

    observable: str
    start: float
    end: float

    def of(self, model: Model) -> float:
        """The mean. Raises UnknownNameError, ArgumentError."""
        number_from("Mean", "start", self.start, 0, self.end)
        run = model.simulate(seed=1)
        run.advance(self.end)
        times, series = run.series()
        return float(np.mean(_by_name("observable", self.observable, series)[times >= self.start]))


def _by_name(kind: str, name: str, things: Any) -> Any:
    if name not in things:
        raise UnknownNameError(kind, name, [str(one) for one in things])
    return things[name]


Quantity = (
    Value | Crossing | Exact | Mean | Callable[[Any], float]
)  # the last: anything else, from the model at the point


def quantity(wanted: Quantity, model: Model) -> float:
    """A quantity at the controls of a model."""
    return wanted.of(model) if isinstance(wanted, Value | Crossing | Exact | Mean) else float(wanted(model))


@dataclass(frozen=True)
class Promise:
    """A number in the `watch` of a preset. changes: controls that differ from it, as a size that suffices."""

    of: Quantity = field(compare=False)
    value: float
    tolerance: float
    changes: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def found(self, preset: Model) -> float:
        """The number as it is."""
        return quantity(self.of, preset.replace(**self.changes))


@dataclass(frozen=True)
class Preset:
    """A named point worth teaching, chosen by calculation; `watch` says in one sentence what to look at, and
    `promises` hold its numbers, which the contract re-derives.
    """

    name: str
    controls: Mapping[str, Any]
    watch: str
    promises: tuple[Promise, ...] = ()
    view: View = View()


@dataclass(frozen=True)
class Reference:
    """A published or independently computed value that is re-derived through the public API.

    tolerance: absolute difference up to which the two count as agreeing.
    of: what it is the value of; at: the controls there (the others have their defaults).
    published: the value stands in the literature; else it was computed independently, as `source` says.
    """

    title: str
    value: float
    tolerance: float
    source: str
    of: Quantity = field(compare=False)
    at: Mapping[str, Any] = field(default_factory=dict, hash=False)
    published: bool = field(default=False, kw_only=True)
    view: View = field(default=View(), kw_only=True)

    @property
    def speaks_of(self) -> str:
        """The control or observable that its value is one of; empty where nobody has said."""
        of = self.of
        return of.along if isinstance(of, Crossing) else of.observable if isinstance(of, Value | Exact | Mean) else ""

    @property
    def leads_somewhere(self) -> bool:
        """Whether it speaks of a point that one can look at: what is computed otherwise may speak of none."""
        return bool(self.at) or self.view != View() or not callable(self.of)

    def point(self, kind: type[Model]) -> tuple[Model, View]:
        """The point that it speaks of, and how one looks at it: as it says, else so that its quantity is seen."""
        model, of = kind(**self.at), self.of
        usual: dict[str, Any] = {}
        if isinstance(of, Value):
            is_function = model.observable(of.observable).over is not None
            usual = {"function" if is_function else "colour": of.observable, "branch": of.branch, "method": of.method}
        elif isinstance(of, Exact):
            usual = {"colour": of.observable}
        elif isinstance(of, Mean):
            usual = {"series": of.observable}
        elif isinstance(of, Crossing) and of.along in kind.axis_names():
            made = kind.control(of.along)
            low, high = made.bounds
            crossed = min(max(self.value, low), high)
            model = model.replace(**{of.along: round(crossed) if made.is_integer else crossed})
            planes = [(p.x, p.y) for p in model.planes if model.applies(p) and of.along in (p.x, p.y)]
            usual = {"plane": planes[0], "along": of.along} if planes else {}
        said = {name: value for name, value in vars(self.view).items() if value is not None}
        return model, View(**usual | said)

    def computed(self, kind: type[Model]) -> float:
        """The value as this package has it."""
        return quantity(self.of, kind(**self.at))


@dataclass(frozen=True)
class Verdict:
    """Whether a guess was right, and what the truth is."""

    guess: float
    truth: float
    right: bool


@dataclass(frozen=True)
class Task:
    """Predict, then reveal. The student guesses the value of `asked` (a control or an observable).

    answer: the truth at `controls`; tolerance: absolute, for a guess to count as right. magnitude: the prompt asks how
    strong, how far, ..., so that the sign of a guess does not count.
    """

    prompt: str
    controls: Mapping[str, Any]
    asked: str
    answer: Quantity = field(compare=False)
    tolerance: float
    lesson: str
    view: View = field(default=View(), kw_only=True)
    magnitude: bool = field(default=False, kw_only=True)

    def truth(self, kind: type[Model]) -> float:
        """The answer."""
        return quantity(self.answer, kind(**self.controls))

    def is_told_by(self, number: float, truth: float) -> bool:
        """Whether somebody who has read this number need not think: but for its sign it is the answer, as far as people
        write numbers out. truth: of this task.
        """
        return bool(np.abs(np.abs(number) - np.abs(truth)) <= min(self.tolerance, WRITTEN_OUT * np.abs(truth)))

    def judge(self, guess: float, kind: type[Model]) -> Verdict:
        """Compare a guess with the truth."""
        truth = self.truth(kind)
        gap = np.abs(np.abs(guess) - np.abs(truth)) if self.magnitude else np.abs(guess - truth)
        return Verdict(guess, truth, bool(gap <= self.tolerance))


LEVELS = ("first contact", "course", "research")
PHENOMENA = (
    "phase transition", "jump", "hysteresis", "critical fluctuations", "glass", "aging", "memory", "learning",
    "recovery", "synchronization", "chaos", "spreading", "growth", "patterns", "localization", "quantum",
    "rare events", "currents", "decisions",
)  # fmt: skip
METHODS = (
    "self-consistency", "replicas", "cavity", "TAP", "state evolution", "dynamical mean field", "random matrices",
    "exact sums", "rate equations", "master equations", "variational", "field theory", "Monte Carlo",
)  # fmt: skip


@dataclass(frozen=True)
class Tags:
    """What a system is found by in the gallery: words of the lists above, and the minutes that a first visit takes."""

    level: str
    minutes: int
    phenomena: tuple[str, ...]
    methods: tuple[str, ...]

    def __post_init__(self) -> None:
        for kind, words, known in (
            ("level", (self.level,), LEVELS),
            ("phenomenon", self.phenomena, PHENOMENA),
            ("method", self.methods, METHODS),
        ):
            for word in words:
                if word not in known:
                    raise UnknownNameError(kind, word, known)


RELATIONS = {
    "is a limit of": "has as a limit",
    "is a case of": "contains",
    "coincides with": "coincides with",  # at some controls
    "is the quantum version of": "has as its quantum version",
    "has the same transition as": "has the same transition as",
    "looks differently at": "is looked at differently by",
    "builds on": "leads on to",
    "shares the method with": "shares the method with",
    "contrasts with": "contrasts with",
}  # as it is said of the system that declares it, and of the other one


@dataclass(frozen=True)
class Relation:
    """What a system is to another one. Said by one of the two, it is shown on the pages of both.

    kind: a word of `RELATIONS`, to be read as "this system ... that one"; to: the key of the other; because: a sentence
    that holds on either page. here, there: controls of this and of the other system at which it can be seen.
    """

    kind: str
    to: str
    because: str
    here: Mapping[str, Any] = field(default_factory=dict, hash=False, kw_only=True)
    there: Mapping[str, Any] = field(default_factory=dict, hash=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.kind not in RELATIONS:
            raise UnknownNameError("relation", self.kind, RELATIONS)


@dataclass(frozen=True)
class Source:
    """Where the physics comes from: a short citation and, where known, a DOI or arXiv number."""

    citation: str
    doi: str = ""
    arxiv: str = ""
