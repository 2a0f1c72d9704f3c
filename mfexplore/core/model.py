"""A system of the atlas: a frozen dataclass whose fields are its controls, and the contract it fulfils."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar

import numpy as np

from mfexplore.core import boundaries
from mfexplore.core.arguments import is_axis
from mfexplore.core.arithmetic import all_with_infinities
from mfexplore.core.controls import Control, Value, named
from mfexplore.core.declaration import (
    Branch,
    Coordinate,
    Failure,
    Landmark,
    Method,
    Named,
    Observable,
    Phase,
    Plane,
    Preset,
    Reference,
    Relation,
    Source,
    Tags,
    Task,
)
from mfexplore.core.errors import AbsentError, NotOfferedError, TooLargeError, UnknownNameError
from mfexplore.core.extras import needs
from mfexplore.core.provenance import attributes, provenance
from mfexplore.core.seeds import Seed, check_seed
from mfexplore.core.solution import Array, Points, Solution, States, at_equilibrium, columns, label
from mfexplore.core.verbs import verb

Declared = TypeVar("Declared", bound=Named | Preset)

if TYPE_CHECKING:
    import xarray as xr

    from mfexplore.core.simulation import Simulation


@dataclass(frozen=True)
class Law:
    """A distribution that theory predicts, drawn over the live histogram of the observable of the same name.

    values, density: shape (n,); the density integrates to one. atoms: (position, weight) of point masses, if any.
    discrete: values are whole numbers, and the density is their probability.
    scale: "log" for a heavy tail: drawn as the complementary cumulative, on logarithmic axes.
    circular: values are angles.
    method: the rival theory whose prediction it is, if there are several.
    """

    observable: str
    values: Array
    density: Array
    doc: str
    atoms: tuple[tuple[float, float], ...] = ()
    discrete: bool = False
    scale: Literal["linear", "log"] = "linear"
    circular: bool = False
    method: str | None = None


@dataclass(frozen=True)
class Profile:
    """An observable that is a function. values: shape (*methods, *branches, n) over `coordinate` of shape (n,)."""

    coordinate: Array
    values: Array


@dataclass(frozen=True)
class Landscape:
    """A potential along an order parameter. coordinate, free_energy: shape (n,).

    branches: those that are points of it (None: all; a state of another kind does not lie on the same curve).
    note: a few words under it, where states are not its minima.
    title: what the potential is called; rivals: pairs (name, values) of the same potential by other theories.
    """

    observable: str
    coordinate: Array
    free_energy: Array
    branches: tuple[str, ...] | None = None
    note: str = ""
    title: str = "free energy"
    rivals: tuple[tuple[str, Array], ...] = ()


@dataclass(frozen=True)
class Recursion:
    """A map that is applied again and again, drawn as a cobweb from `start`. coordinate, image: shape (n,)."""

    observable: str
    coordinate: Array
    image: Array
    start: float


class Model:
    """Base of all systems. A subclass is a `@dataclass(frozen=True)` whose fields are made by `control` and `choice`.

    What a subclass declares (class attributes) and implements is listed here in the order of a model file; everything
    marked *optional* is a capability: a system offers it by overriding it, and the workbench shows what is offered.
    """

    key: ClassVar[str]  # name of the file, set by itself
    wing: ClassVar[str]  # name of the folder, set by itself
    version: ClassVar[int] = 1  # raise it when the same controls give other numbers
    title: ClassVar[str]
    summary: ClassVar[str]  # one sentence for the gallery
    tags: ClassVar[Tags | None] = None  # of the gallery; without any it is found by search alone
    relations: ClassVar[tuple[Relation, ...]] = ()  # to other systems, each said by one of the two
    sources: ClassVar[tuple[Source, ...]]
    observables: ClassVar[tuple[Observable, ...]]
    coordinates: ClassVar[tuple[Coordinate, ...]] = ()  # of the observables that are functions
    branches: ClassVar[tuple[Branch, ...]] = ()
    methods: ClassVar[tuple[Method, ...]] = ()
    phases: ClassVar[tuple[Phase, ...]] = ()
    failures: ClassVar[tuple[Failure, ...]] = ()
    landmarks: ClassVar[tuple[Landmark, ...]] = ()
    planes: ClassVar[tuple[Plane, ...]] = ()  # the first is the default diagram
    presets: ClassVar[tuple[Preset, ...]] = ()
    references: ClassVar[tuple[Reference, ...]] = ()
    tasks: ClassVar[tuple[Task, ...]] = ()
    tolerance: ClassVar[float] = 1e-8  # largest residual that counts as solved
    simulation: ClassVar[type[Simulation[Any]] | None] = None  # optional

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        package, _, module = cls.__module__.rpartition(".")
        cls.key, cls.wing = module, package.rpartition(".")[2]
        declared = [*cls.__dict__.get("observables", ()), *cls.__dict__.get("coordinates", ())]
        if "time" in [*get_annotations(cls), *(one.name for one in declared)]:
            raise TypeError(f"{cls.__name__}: 'time' is the time of a run; call a control or observable 'age', say")
        all_with_infinities(cls)
        boundaries.all_asked_rightly(cls)

    def __post_init__(self) -> None:
        for name, made in self.controls().items():
            object.__setattr__(self, name, made.check(getattr(self, name), self.title))

    # -- declaration ---------------------------------------------------------------------------------------------

    @classmethod
    @cache
    def controls(cls) -> dict[str, Control]:
        """The declared controls by name, in order."""
        return {f.name: named(f.metadata["control"], f.name) for f in fields(cls)}  # type: ignore[arg-type]

    def values(self) -> dict[str, Value]:
        """The value of every control by name."""
        return {name: getattr(self, name) for name in self.controls()}

    def replace(self, **changes: Any) -> Self:
        """A model with some controls changed. Raises UnknownNameError and ControlError."""
        for name in changes:
            self.control(name)
        return replace(self, **changes)  # type: ignore[type-var]

    @classmethod
    def control(cls, name: str) -> Control:
        if not isinstance(name, str) or name not in cls.controls():
            raise UnknownNameError("control", name, cls.controls())
        return cls.controls()[name]

    @classmethod
    def observable(cls, name: str) -> Observable:
        return by_name("observable", name, cls.observables)

    @classmethod
    def coordinate(cls, name: str) -> Coordinate:
        """What observables are functions of; one that is not declared has nothing but its name."""
        return next((one for one in cls.coordinates if one.name == name), Coordinate(name, "", ""))

    @classmethod
    @cache
    def preset(cls, name: str) -> Self:
        """The model at a named preset."""
        return cls(**by_name("preset", name, cls.presets).controls)

    @classmethod
    def offers(cls, capability: str) -> bool:
        """Whether this system has the capability: "solve", "landscape", "law", "predicted_path", "exact", "profiles",
        "landmark" or "simulation".
        """
        if capability == "simulation":
            return cls.simulation is not None
        if capability == "landmark":
            return bool(cls.landmarks)
        if capability == "law":
            return cls.law is not Model.law or cls.laws is not Model.laws
        return getattr(cls, capability) is not getattr(Model, capability)

    @classmethod
    def declared_landmark(cls, name: str) -> Landmark:
        return by_name("boundary", name, cls.landmarks)

    def applies(self, thing: Named | Control | Plane) -> bool:
        """Whether something that is declared `only` for some words of choices exists at these controls."""
        return all(getattr(self, choice) in words for choice, words in thing.only.items())

    def describes(self, method: Method) -> bool:
        """Whether a theory is one of what the simulation does at these words of choices."""
        return all(getattr(self, choice) in words for choice, words in method.describes.items())

    def require(self, kind: str, thing: Named | Control) -> None:
        """Raises AbsentError if something that is declared `only` for some words does not exist at these controls."""
        for choice, words in thing.only.items():
            if getattr(self, choice) not in words:
                raise AbsentError(self.title, kind, thing.name, choice, getattr(self, choice), words)

    @classmethod
    def on(cls, branch: str, mask: Array) -> Array:
        """A mask of shape (n,) or (n, methods) that holds on one branch only; for `Solution.fails`."""
        chosen = np.array([b is by_name("branch", branch, cls.branches) for b in cls.branches])
        found: Array = (mask[:, None] if cls.methods and mask.ndim == 1 else mask)[..., None] & chosen
        return found

    # -- what a model file implements -----------------------------------------------------------------------------

    def solve(self, points: Points) -> Solution:
        """The theory at a batch of points. *optional*

        Args:
            points: one column of shape (n,) for every numerical control; choices are read from self. Neighbouring rows
                are usually neighbours in the plane, so a solver may start each row from the solution of the last.
        """
        raise NotOfferedError(self.title, "a theory")

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        """The equations of the page a second time, in plain NumPy: left minus right side of those that a state of the
        theory must fulfil at these controls, by their number. The contract evaluates them where `solve` has converged.
        *optional*

        Args:
            state: the scalar observables of one solution, and its "branch" and "method" where the model has them.
        """
        raise NotOfferedError(self.title, "its equations")

    def select(self, points: Points, solution: Solution) -> Array:
        """Index of the equilibrium (or physically reached) branch, shape (n, *methods); -1 where unknown.
        Default: the stable branch of least `free_energy`, or the first that exists if there is none.
        """
        exists = solution.exists(self.tolerance)
        if not self.branches:
            return np.where(exists, 0, -1)
        stable = exists if solution.stable is None else exists & solution.stable
        if "free_energy" in solution.values:
            free_energy = np.where(stable, solution.values["free_energy"], np.inf)
            best = np.argmin(free_energy, axis=-1)
        else:
            best = np.argmax(stable, axis=-1)
        return np.where(stable.any(axis=-1), best, -1)

    def classify(self, points: Points, states: States) -> Mapping[str, Array]:
        """Where each phase is, by its name: masks of shape (n,), or (n, methods); where several hold, the first counts,
        and where none does, the phase is unknown. Default: the phases that have the names of branches.
        """
        names = {p.name for p in self.phases}
        return {name: chosen for name, chosen in states.equilibrium.items() if name in names}

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        """A landmark as an explicit function: the values of its control `Landmark.of` at the batch of points, whose
        column of that control is not to be used. Shape (n,), or (n, k) where there are several; NaN: there is none.

        May return a pair: the values continued smoothly beyond where the boundary ends, so that its end can be found
        along other controls, and a mask of where it is one. *optional*
        """
        raise NotOfferedError(self.title, f"the boundary {name!r}")

    def landmark(self, name: str, along: str) -> Array:
        """All values of the control `along` at which the boundary `name` is crossed, the other controls as they are;
        sorted, within the bounds of the control, empty if there is none. Solved for from `boundary`; override where
        that is not how it is known.

        Raises NotOfferedError if the boundary cannot be solved along that control.
        """
        return boundaries.crossings(self, self.declared_landmark(name), along)

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        """The boundary as a curve in the plane (x, y); NaN separates pieces. From `boundary`, or else from `landmark`
        on the columns of the plane. Override where a parametric form is better.
        """
        return boundaries.trace(self, self.declared_landmark(name), x, y, x_range)

    def landscape(self) -> Landscape:
        """The free energy along an order parameter at these controls. *optional*"""
        raise NotOfferedError(self.title, "a free-energy landscape")

    def recursion(self) -> Recursion:
        """The map behind a theory that is solved by repeating it. *optional*"""
        raise NotOfferedError(self.title, "a recursion")

    def profiles(self) -> dict[str, Profile]:
        """The observables that are functions (declared with `over`), at these controls. *optional*"""
        return {}

    def exact(self) -> dict[str, float]:
        """Exact values of observables at this finite size, no approximation. *optional*"""
        raise NotOfferedError(self.title, "exact values at finite size")

    def law(self) -> Law:
        """The predicted distribution behind the live histogram. *optional*"""
        raise NotOfferedError(self.title, "a predicted distribution")

    def laws(self, time: float) -> tuple[Law, ...]:
        """The same where there are several (of rival theories, of several observables) or where they move with the
        time of the run. Default: the one `law`. *optional*
        """
        return (self.law(),)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """What theory predicts for the trace of a simulation that starts at `start` (its first `observe()`), at
        `times` of shape (n,) in the simulation's unit. Values are of shape (n,), or (methods, n) for rival theories;
        under "x_deviation" stands the standard deviation of "x" over runs, where it is known too. *optional*
        """
        raise NotOfferedError(self.title, "a predicted path")

    def realised(self) -> Self:
        """The same with the values that a simulation really has where it cannot have those asked for: the sites of a
        whole lattice, the load of a whole number of memories. `realised` of it is itself, and the same seed gives both
        the same run. *optional*
        """
        return self

    def counted(self, name: str, of: float) -> int:
        """How many of `of` things a control that is a fraction stands for: the nearest whole number that is at least
        one and keeps the fraction within the bounds of the control.
        """
        low, high = self.control(name).bounds
        most, least = math.floor(high * of * (1 + 1e-12)), math.ceil(low * of * (1 - 1e-12))
        return max(1, least, min(most, round(float(getattr(self, name)) * of)))

    def with_simulated(self, **values: float) -> Self:
        """Helps `realised`: other values for some controls, unless they are the same but for rounding errors."""
        other = {k: v for k, v in values.items() if not math.isclose(v, getattr(self, k), rel_tol=1e-12)}
        return self.replace(**other) if other else self

    def rounding(self) -> dict[str, str]:
        """The controls that a simulation rounds, in words, by name; only where three digits show it."""
        simulated = self.realised()
        told = {}
        for name, made in self.controls().items():
            if not made.is_choice and made.part != "theory":
                asked, has = (f"{getattr(one, name):{',d' if made.is_integer else '.3g'}}" for one in (self, simulated))
                if asked != has:
                    told[name] = f"{made.title} {has} instead of {asked}"
        return told

    def extent(self) -> str:
        """How large one simulation is, in a sentence. *optional*"""
        return f"of size {self.realised().size:,}" if hasattr(self, "size") else ""

    def caveat(self) -> str:
        """Why a simulation at these controls may differ clearly from theory: the end of a sentence that begins with
        "Theory and simulation differ by more than the error:". *optional*
        """
        return "the theory's approximation, finite size, another start, or no equilibrium"

    def footprint(self) -> int:
        """Bytes that a simulation of this size needs."""
        return 64 * int(getattr(self, "size", 0))

    # -- what a person calls --------------------------------------------------------------------------------------

    def theory(self, *, method: str | None = None, profiles: bool = True, **axes: Any) -> xr.Dataset:
        """All branches of the theory. Any control may be given as a number (it replaces the model's own) or as a
        1-d array, which becomes a dimension, in the order given. See `label` for the variables.

        `method` picks one of several rival theories; without it they are a dimension. (To pick later, write
        `.sel({"method": name})`: `method` as a keyword of xarray's own `sel` means something else.)

        profiles: whether observables that are functions are computed too; along an axis they may take most of the time.

        Raises ControlError (out of range), UnknownNameError (no such control or method).
        """
        if method is not None:
            chosen = self.methods.index(by_name("method", method, self.methods))
            return self.theory(profiles=profiles, **axes).isel({"method": chosen})
        model, grids = self._axes(axes)
        words = {k: v for k, v in grids.items() if model.control(k).is_choice}
        numbers = {k: v for k, v in grids.items() if k not in words}
        if not words:
            return model._theory(numbers, profiles)
        import xarray as xr

        parts = []
        for combination in itertools.product(*words.values()):
            options = dict(zip(words, (str(c) for c in combination), strict=True))
            part = model.replace(**options)._theory(numbers, profiles)
            parts.append(part.expand_dims({k: [v] for k, v in options.items()}))
        inner = [d for d in parts[0].dims if d not in grids]
        for word in reversed(words):  # neighbours differ in the last one
            n = len(words[word])
            rows = [parts[k : k + n] for k in range(0, len(parts), n)]
            # All is said, because the user may have set xarray's defaults.
            parts = [
                xr.concat(row, word, data_vars="all", coords="different", compat="equals", join="outer",
                          combine_attrs="override")
                for row in rows
            ]  # fmt: skip
        return parts[0].transpose(*grids, *inner)[list(parts[0])]

    def _theory(self, grids: Mapping[str, Array], profiles: bool) -> xr.Dataset:
        found = self._stacked_profiles(grids) if profiles and self.offers("profiles") else {}
        return label(self, grids, self.solve(columns(self, grids)), found)

    def _stacked_profiles(self, grids: Mapping[str, Array]) -> dict[str, Profile]:
        found = [self.replace(**dict(zip(grids, point, strict=True))).profiles() for point in _product(grids)]
        return {
            name: Profile(first.coordinate, np.stack([one[name].values for one in found]))
            for name, first in found[0].items()
            if all(np.array_equal(one[name].coordinate, first.coordinate) for one in found)
        }

    def _axes(self, axes: Mapping[str, Any]) -> tuple[Self, dict[str, Array]]:
        """Split keyword arguments into changed controls and axes."""
        scalars = {k: v for k, v in axes.items() if not is_axis(v)}
        model = self.replace(**scalars)
        arrays = {k: model.control(k).check_array(v, self.title) for k, v in axes.items() if k not in scalars}
        return model, arrays

    def equilibrium(self, *, method: str | None = None, **axes: Any) -> xr.Dataset:
        """The branch of least free energy, or the one physically reached; same arguments as `theory`."""
        dataset = self.theory(method=method, **axes)
        return at_equilibrium(dataset) if self.branches else dataset

    def boundaries(self, x: str | None = None, y: str | None = None) -> xr.Dataset:
        """The landmarks as named curves in a plane (default: the first of `planes`).

        Returns a Dataset over `boundary` and `point` with the two controls as variables, padded with NaN; NaN also
        separates the pieces of one curve. Landmarks that the model cannot solve for in this plane are left out.
        """
        import xarray as xr

        plane = self.plane(x, y)
        found: dict[str, tuple[Array, Array]] = {}
        for landmark in self.landmarks:
            if not self.applies(landmark):
                continue
            try:
                found[landmark.name] = self.trace_landmark(landmark.name, plane.x, plane.y, self.range(plane, "x"))
            except NotOfferedError:
                continue
        length = max((len(c[0]) for c in found.values()), default=0)
        table = np.full((2, len(found), length), np.nan)
        for i, (xs, ys) in enumerate(found.values()):
            table[0, i, : len(xs)], table[1, i, : len(ys)] = xs, ys
        return xr.Dataset(
            {
                plane.x: (("boundary", "point"), table[0], attributes(self.control(plane.x))),
                plane.y: (("boundary", "point"), table[1], attributes(self.control(plane.y))),
            },
            {"boundary": np.array(list(found), dtype=np.str_)},
            attrs=provenance(self, plane=f"{plane.x} {plane.y}"),
        )

    def plane(self, x: str | None = None, y: str | None = None) -> Plane:
        """The declared plane spanned by x and y (either order), or a new one; default: the first declared that exists
        at these controls. Raises NotOfferedError, UnknownNameError, AbsentError.
        """
        there = [plane for plane in self.planes if self.applies(plane)]
        if not there:
            raise NotOfferedError(self.title, "a phase diagram")
        first = there[0]
        x, y = x or (first.x if y != first.x else first.y), y or (first.y if x != first.y else first.x)
        for plane in there:
            if (plane.x, plane.y) == (x, y):
                return plane
            if (plane.y, plane.x) == (x, y):
                along: Literal["x", "y"] = "y" if plane.along == "x" else "x"
                return replace(plane, x=x, y=y, x_range=plane.y_range, y_range=plane.x_range, along=along)
        for name in (x, y):
            self.require("control", self.control(name))
            if name not in self.axis_names():
                raise UnknownNameError("axis", name, self.axis_names())
        if x == y:
            raise NotOfferedError(self.title, f"a diagram of {x} against itself")
        return Plane(x, y, first.colour, first.branch, finest=first.finest)

    @classmethod
    def axis_names(cls) -> tuple[str, ...]:
        """Controls that may span a diagram: the numbers that the theory depends on."""
        return tuple(n for n, c in cls.controls().items() if not c.is_choice and c.part != "simulation")

    def range(self, plane: Plane, axis: str) -> tuple[float, float]:
        """The shown range of one axis ("x" or "y") of a plane: as declared there, else the bounds of the control.
        A model whose regions move with its other controls may override it.
        """
        declared: tuple[float, float] | None = getattr(plane, f"{axis}_range")
        return declared or self.control(getattr(plane, axis)).bounds

    def simulate(self, seed: Seed = 0, **changes: Any) -> Simulation[Any]:
        """A running simulation; controls (size=..., temperature=..., ...) may be changed on the way.

        The same seed (a whole number from 0 on or a SeedSequence) gives the same run. Raises SeedError, and
        TooLargeError with the number of bytes if it would not fit.
        """
        check_seed(seed)
        if self.simulation is None:
            raise NotOfferedError(self.title, "a simulation")
        model = self.replace(**changes).realised()
        available = usable_memory()
        if model.footprint() > available:
            raise TooLargeError(self.title, int(getattr(model, "size", 0)), model.footprint(), available)
        assert model.simulation is not None
        return model.simulation(model, seed)

    def diagram(
        self, x: str | None = None, y: str | None = None, resolution: int | None = None, *,
        x_range: tuple[float, float] | None = None, y_range: tuple[float, float] | None = None, **changes: Any,
    ) -> xr.Dataset:  # fmt: skip
        """The theory on a grid of a plane: Dataset over (y, x); `diagram_levels` yields the coarser pictures first.
        resolution: points along each axis (None: as fine as the plane says). x_range, y_range: a part of the plane.
        """
        model = self.replace(**changes)
        finished: xr.Dataset = verb("diagram")(model, x, y, resolution, x_range=x_range, y_range=y_range)
        return finished

    def diagram_levels(
        self, x: str | None = None, y: str | None = None, resolution: int | None = None, **changes: Any
    ) -> Iterator[xr.Dataset]:
        """The same diagram from coarse to fine, each level a Dataset over (y, x)."""
        levels: Iterator[xr.Dataset] = verb("diagram_levels")(self.replace(**changes), x, y, resolution)
        return levels

    def ensemble(self, samples: int = 16, seed: Seed = 0, **changes: Any) -> xr.Dataset:
        """Mean and standard error of the simulation's observables over independent samples, beside the theory."""
        result: xr.Dataset = verb("ensemble")(self.replace(**changes), samples=samples, seed=seed)
        return result

    def hysteresis(self, along: str, values: Any = None, **options: Any) -> xr.Dataset:
        """A run carried along a control and back; see `mfexplore.study.hysteresis.hysteresis` for the options."""
        loop: xr.Dataset = verb("hysteresis")(self, along, values, **options)
        return loop

    def explore(self, **options: Any) -> Any:
        """The workbench for this system in a notebook; see `mfexplore.notebook.explore` for the options, of which one
        is `measured`, a sweep to lay over the diagram.
        """
        with needs("notebook"):
            return verb("explore")(self, **options)


all_with_infinities(Model)
boundaries.all_asked_rightly(Model)


def by_name(kind: str, name: str, declared: tuple[Declared, ...]) -> Declared:
    """What is declared under a name. Raises UnknownNameError."""
    for one in declared:
        if isinstance(name, str) and one.name == name:
            return one
    raise UnknownNameError(kind, name, [one.name for one in declared])


def usable_memory() -> int:
    """Bytes a single simulation may take: half of what the machine has in all."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (ValueError, OSError, AttributeError):  # not on Windows
        return 2**31


def _product(grids: Mapping[str, Array]) -> Iterator[tuple[Any, ...]]:
    return itertools.product(*grids.values())
