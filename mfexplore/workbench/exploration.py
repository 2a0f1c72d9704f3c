"""One record of an exploration: the permalink, the preset, the history entry, the provenance, the line of Python."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlencode

from mfexplore.core.arguments import window as rising
from mfexplore.core.catalogue import system
from mfexplore.core.declaration import Preset, Reference, Value, View
from mfexplore.core.errors import ControlError, MfexploreError, NotOfferedError, UnknownNameError
from mfexplore.core.model import Model, by_name
from mfexplore.core.provenance import versions
from mfexplore.core.seeds import Seed, check_seed, read_seed, seed_text, written_seed
from mfexplore.study.measured import controls_of

if TYPE_CHECKING:
    import xarray as xr

Window = tuple[float, float]
ENSEMBLE_SAMPLES = 8
# Of what is shown, in links and messages.
WORDS = ("x", "y", "colour", "branch", "method", "along", "series", "picture", "function", "law")
MOST_PINS, LONGEST_NAME = 12, 60


@dataclass(frozen=True)
class Pinned:
    """A view that is kept to compare with. query: of a link to it, as far as it is not at the defaults."""

    title: str
    query: str

    def exploration(self, kind: type[Model]) -> Exploration:
        """Where that is."""
        return Exploration.from_query(kind.key, self.query)[0]

    def called(self, title: str) -> Self:
        """The same under another name; an empty one is none."""
        return replace(self, title=" ".join(title.split())[:LONGEST_NAME] or self.title)


@dataclass(frozen=True)
class Exploration:
    """Everything that decides what is on the screen.

    Attributes:
        model: the system at its controls.
        seed: of the simulation and the ensembles.
        x, y: the plane of the diagram. colour: the observable shown in it.
        branch, method: whose values are shown (None: equilibrium branch, first method).
        along: "x" or "y", the axis of the theory-against-simulation curve.
        series: what is traced (None: the observable of the diagram). picture: which of the run (None: the usual one).
        function: the observable that is drawn as a function, law: whose distribution is (None: the first there is).
        x_window, y_window: the zoom (None: as declared).
        pins: views that are kept to compare with.
    """

    model: Model
    seed: Seed = 0
    x: str = ""
    y: str = ""
    colour: str = ""
    branch: str | None = None
    method: str | None = None
    along: str = "y"
    x_window: Window | None = None
    y_window: Window | None = None
    series: str | None = None
    picture: str | None = None
    function: str | None = None
    law: str | None = None
    pins: tuple[Pinned, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))

    @classmethod
    def of(cls, model: Model, **view: Any) -> Self:
        """The exploration of a model in its default view. Raises UnknownNameError for a bad axis, observable, branch or
        method, AbsentError for one that does not exist at these controls, and ArgumentError for a zoom beyond an axis.
        """
        if view.get("function"):
            chosen = model.observable(view["function"])
            functions = [o for o in model.observables if o.over is not None]
            model.require("function", by_name("function", chosen.name, tuple(functions)))
        if not any(model.applies(plane) for plane in model.planes):
            return cls(model, **view)
        plane = model.plane(view.pop("x", None) or None, view.pop("y", None) or None)
        colour = _usual_colour(model, plane.colour)
        method = _usual_method(model, view.get("colour") or colour)
        usual = {"colour": colour, "branch": plane.branch, "along": plane.along}
        made = cls(model, x=plane.x, y=plane.y, **(usual | {"method": method} | view))
        model.require("observable", model.observable(made.colour))
        if made.branch is not None:
            model.require("branch", by_name("branch", made.branch, model.branches))
        if made.method is not None:
            model.require("method", by_name("method", made.method, model.methods))
        if made.along not in ("x", "y"):
            raise UnknownNameError("axis", made.along, ["x", "y"])
        for axis in ("x", "y"):
            zoom = getattr(made, f"{axis}_window")
            if zoom is not None:
                whole = model.control(getattr(made, axis)).bounds
                rising(f"the diagram of {model.title}", f"{axis}_window", zoom, *whole)
        return made

    def as_opened(self) -> Self:
        """As a page opens there: at the controls of a preset it is looked at as that says; elsewhere as it is."""
        return next((self.at(self.model, preset.view) for preset in self.presets), self)

    @property
    def presets(self) -> Iterator[Preset]:
        """Those at whose controls it is."""
        return (preset for preset in self.model.presets if self.model.preset(preset.name) == self.model)

    # -- change ---------------------------------------------------------------------------------------------------

    def with_controls(self, **controls: Any) -> Self:
        """Other controls, same view, as far as it exists there. Raises ControlError and UnknownNameError."""
        moved = replace(self, model=self.model.replace(**controls))
        choices = [name for name, made in self.model.controls().items() if made.is_choice]
        if all(getattr(moved.model, name) == getattr(self.model, name) for name in choices):
            return moved
        before, usual = self.of(self.model), self.of(moved.model, seed=self.seed, pins=self.pins)
        # What was as usual becomes what is usual now; what was chosen stays, and the zoom as long as its axis does.
        chosen = {name: getattr(self, name) for name in WORDS if getattr(self, name) != getattr(before, name)}
        made = usual._looking(chosen)[0]
        stays = [axis for axis in ("x", "y") if getattr(made, axis) == getattr(self, axis)]
        return replace(made, **{f"{axis}_window": getattr(self, f"{axis}_window") for axis in stays})

    def with_seed(self, value: Any) -> Self:
        """Another seed, perhaps as somebody typed it. Raises SeedError."""
        return replace(self, seed=read_seed(value) if isinstance(value, str) else value)

    def with_view(self, **view: Any) -> Self:
        """Another view of the same controls; changing an axis drops the zoom, choosing for one axis the control of the
        other swaps the two, and what is traced is what the diagram shows until something else is chosen.
        """
        if self.x and view.get("x", self.x) == view.get("y", self.y):
            view = {"x": self.y, "y": self.x} | ({"along": {"x": "y", "y": "x"}[self.along]} | view)
            view |= {"y": self.x} if view["x"] == self.y else {"x": self.y}
        if "x" in view or "y" in view:
            view = {"x_window": None, "y_window": None} | view
        if "colour" in view:
            view = {"series": None} | view
        changed = replace(self, **view)
        return self.of(self.model, **{k: v for k, v in vars(changed).items() if k != "model"})

    def at(self, model: Model, view: View) -> Self:
        """A point, looked at as its view says: what that leaves open stays as it is, but for a plane in which the point
        does not lie. Raises UnknownNameError and AbsentError.
        """
        made = self.with_controls(**model.values())
        words = {name: getattr(view, name) for name in WORDS if name in vars(view) and getattr(view, name) is not None}
        plane = view.plane
        if plane is None and made.x and not made._holds(made.x, made.y):
            lies = (p for p in model.planes if model.applies(p) and made._holds(p.x, p.y))
            plane = next(((p.x, p.y) for p in lies), None)
        if plane is not None:
            words |= dict(zip("xy", plane, strict=True))
        along = words.pop("along", None)
        if words:
            made = made.with_view(**words)
        if along is not None:
            axes = {made.x: "x", made.y: "y"}
            if along not in axes:
                raise UnknownNameError("axis", along, axes)
            made = made.with_view(along=axes[along])
        inside = all(low <= getattr(model, n) <= high for n, (low, high) in made._windows().items())
        return made if inside else replace(made, x_window=None, y_window=None)

    def at_reference(self, reference: Reference) -> Self:
        """The point that a reference speaks of, so that its quantity is seen. Raises UnknownNameError, AbsentError."""
        made = self.at(*reference.point(type(self.model)))
        of = reference.of
        return made.with_view(branch=None) if isinstance(of, Value) and of.branch is None else made

    def over(self, sweep: xr.Dataset) -> Self:
        """In a plane in which points of a sweep lie. Raises ControlError."""
        controls, swept = controls_of(sweep, type(self.model))
        axes = [name for name in swept if name in self.model.axis_names()][:2]
        made = self.with_controls(**{name: value for name, value in controls.items() if name not in axes})
        if set(axes) <= {made.x, made.y}:
            return made
        return made.with_view(**dict(zip("xy", axes, strict=False)))

    def _holds(self, x: str, y: str) -> bool:
        """Whether the model lies in the whole of a plane."""
        plane = self.model.plane(x, y)
        ranges = ((getattr(self.model, n), self.model.range(plane, a)) for n, a in ((plane.x, "x"), (plane.y, "y")))
        return all(low <= value <= high for value, (low, high) in ranges)

    def _windows(self) -> dict[str, Window]:
        return {self.x: self.window("x"), self.y: self.window("y")} if self.x else {}

    def _looking(self, view: Mapping[str, Any]) -> tuple[Self, list[MfexploreError]]:
        """As much of a view as there is here, word by word, so that a wrong one costs only itself; and the errors."""
        made, errors = self, []
        axes = {name: view[name] for name in ("x", "y") if name in view}
        for name, other in (("x", "y"), ("y", "x")):
            if list(axes) == [name] and axes[name] == getattr(self, other):  # one alone: then the two change places
                axes[other] = getattr(self, name)
                view = {"along": {"x": "y", "y": "x"}[self.along]} | dict(view)
        left = [axes, *({name: value} for name, value in view.items() if name not in axes)]
        while left:
            words = left.pop(0)
            try:
                changed = replace(made, **words)
                tried = self.of(self.model, **{k: v for k, v in vars(changed).items() if k != "model"})
                tried._windows()
                made = tried
            except MfexploreError as error:
                if len(words) > 1:  # the two axes together, which may be each other's; now one by one
                    left = [{name: value} for name, value in words.items()] + left
                else:
                    errors.append(error)
        return made, errors

    def window(self, axis: str) -> Window:
        """The shown range of axis "x" or "y"."""
        zoom: Window | None = self.x_window if axis == "x" else self.y_window
        return zoom or self.model.range(self.model.plane(self.x, self.y), axis)

    def where_it_lies(self) -> str:
        """In words, why the marker is not in the picture; empty if it is."""
        out = [n for n, (low, high) in self._windows().items() if not low <= getattr(self.model, n) <= high]
        values = " and ".join(f"{self.model.control(n).title} {getattr(self.model, n):.4g}" for n in out)
        return f"The marker is outside of this picture: {values}." if out else ""

    def with_marker_inside(self) -> Self:
        """The same, with so much of the plane shown that the marker is in it."""
        if not self.x:
            return self
        made = replace(self, x_window=None, y_window=None)
        for axis in ("x", "y"):
            name = getattr(made, axis)
            (low, high), value = made.window(axis), getattr(self.model, name)
            if not low <= value <= high:
                wider: dict[str, Any] = {f"{axis}_window": self.model.control(name).bounds}
                made = replace(made, **wider)
        return made

    @property
    def along_control(self) -> str:
        """The control on the abscissa of the curve."""
        return self.x if self.along == "x" else self.y

    @property
    def seed_text(self) -> str:
        """The seed as people type it."""
        return seed_text(self.seed)

    @property
    def seed_expression(self) -> str:
        """The seed in Python, after `import numpy as np`."""
        return self.seed_text if isinstance(self.seed, int) else f"np.random.{self.seed_text}"

    def pinned(self, title: str = "") -> Pinned:
        """A pin of this view, under a name or under what is unusual about it."""
        query = urlencode(
            {n: v for n, v in self.model.values().items() if v != getattr(type(self.model)(), n)}
            | ({"seed": self.seed_text} if self.seed != 0 else {})
            | {_link_name(n, self.model): v if isinstance(v, str) else "{!r},{!r}".format(*v)
               for n, v in self.view().items() if v is not None}
        )  # fmt: skip
        return Pinned(self.changed().replace("=", " = ") or "defaults", query).called(title)

    def theory_controls(self, *axes: str) -> tuple[tuple[str, Any], ...]:
        """The controls that theory depends on and their values, but those that are axes."""
        values = self.model.values().items()
        return tuple((n, v) for n, v in values if n not in axes and self.model.control(n).part != "simulation")

    # -- permalink ------------------------------------------------------------------------------------------------

    def to_query(self) -> str:
        """Every value, so that a link outlives changed defaults: "v=1&temperature=0.2&...&seed=1&x=load&..."."""
        return self._query

    @cached_property
    def _query(self) -> str:
        pairs: dict[str, Any] = {"v": self.model.version} | self.model.values() | {"seed": self.seed_text}
        for name in WORDS:
            if getattr(self, name):
                pairs[name] = getattr(self, name)
        for name in ("x_window", "y_window"):
            if getattr(self, name):
                pairs[name] = "{!r},{!r}".format(*getattr(self, name))
        if self.pins:
            pairs["pins"] = ";".join(urlencode({"title": pin.title, "at": pin.query}) for pin in self.pins)
        return urlencode({_link_name(k, self.model): v for k, v in pairs.items()})

    @classmethod
    def from_query(cls, key: str, query: str) -> tuple[Self, list[str]]:
        """The exploration of a link, and what in it could not be used, in words.

        Nothing raises but an unknown system (UnknownNameError): a bad value falls back to its default with a notice.
        """
        kind: type[Model] = system(key)
        notices: list[str] = []
        pairs = dict(parse_qsl(query.lstrip("?"), keep_blank_values=True))
        made_by = pairs.pop("v", None)
        if made_by is not None and made_by != str(kind.version):
            notices.append(
                f"This link was made with version {made_by} of {kind.title}; "
                f"numbers may differ in version {kind.version}."
            )
        values: dict[str, Any] = {}
        view: dict[str, Any] = {}
        seed: Seed = 0
        kept = [dict(parse_qsl(part)) for part in pairs.pop("pins", "").split(";")[:MOST_PINS]]
        pins = tuple(Pinned("pin", one["at"]).called(one.get("title", "")) for one in kept if "at" in one)
        for name, text in pairs.items():
            try:
                if name in kind.controls():
                    values[name] = kind.control(name).check(text, kind.title)
                elif name == "seed":
                    seed = read_seed(text)
                elif name.removeprefix("view_") in WORDS:
                    if text:  # an empty word is none
                        view[name.removeprefix("view_")] = text
                elif name in ("x_window", "y_window"):
                    low, high = (float(part) for part in text.split(","))
                    if not low < high:
                        raise ValueError(text)
                    view[name] = (low, high)
                else:
                    notices.append(f"{kind.title} has no control {name!r}; that part of the link was left out.")
            except ControlError as error:
                notices.append(f"{error} The default is used.")
            except ValueError:
                notices.append(f"{name} = {text!r} in the link could not be read; the default is used.")
        made, errors = cls.of(kind(**values), seed=seed, pins=pins)._looking(view)
        return made, notices + [f"{error} The default is used." for error in errors]

    # -- everything else that it is -------------------------------------------------------------------------------

    def record(self, page: str = "") -> dict[str, Any]:
        """The same as plain data, for files: system, version, query, seed, package versions. page: the address of the
        page it was made on, so that the link leads there; without one it says what comes after the server's name.
        """
        return {
            "system": self.model.key,
            "system_version": self.model.version,
            "link": f"{page or self.model.key}{'&' if '?' in page else '?'}{self.to_query()}",
            "seed": written_seed(self.seed),
            "versions": versions(),
        }

    def to_json(self) -> str:
        return json.dumps(self.record())

    @classmethod
    def from_json(cls, text: str) -> tuple[Self, list[str]]:
        record = json.loads(text)
        return cls.from_query(record["system"], record["link"].partition("?")[2])

    def view(self) -> dict[str, Any]:
        """How the point is looked at, as far as that is not what is usual: keywords of `of` and of `Model.explore`."""
        usual = self.of(self.model, seed=self.seed)
        names = (*WORDS, "x_window", "y_window")
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(usual, name)}

    def changed(self) -> str:
        """The controls that are not at their defaults, as arguments in Python."""
        defaults = type(self.model)()
        return ", ".join(f"{n}={v!r}" for n, v in self.model.values().items() if v != getattr(defaults, n))

    def as_python(self, shown: Collection[str] = ("state", "trace")) -> str:
        """The lines of Python that compute what is on the screen, and draw it. shown: names of panels beside diagram
        and curve that have something to show here.
        """
        kind = type(self.model)
        runs = kind.offers("simulation")
        modules = ["publication"] if self.x or "function" in shown else []
        if {"landscape", "histogram", *(("state",) if runs else ())} & set(shown):
            modules.append("publication_live")
        lines = ["import numpy as np", "import mfexplore as mf"]
        lines += [f"from mfexplore.figures import {', '.join(modules)}"] if modules else []
        lines += ["from mfexplore.figures.publication_trace import traces"] if runs and "trace" in shown else []
        lines += ["", f'model = mf.system("{kind.key}")({self.changed()})']
        lines += ["theory = model.theory()  # every branch of it, at this point"] if kind.offers("solve") else []
        if self.x:
            lines += ["", *self._diagram_in_python(), "", *self._curve_in_python()]
        if runs:
            seed = self.seed_expression
            lines += ["", f"run = model.simulate(seed={seed})", "run.advance(run.usual_time)", "trace = run.trace()"]
            lines += [f"ensemble = model.ensemble(samples={ENSEMBLE_SAMPLES}, seed={seed})"]
        parts = {
            "state": self._state_in_python, "trace": self._trace_in_python, "landscape": self._landscape_in_python,
            "function": self._function_in_python, "histogram": self._distribution_in_python,
        }  # fmt: skip
        for name, write in parts.items():
            if name in shown and (runs or name in ("landscape", "function")):
                lines += ["", *write(), f'figure.savefig("{self.model.key}-{name}.png", dpi=300)']
        return "\n".join(lines)

    def _state_in_python(self) -> list[str]:
        picture = "run.picture()" if self.picture is None else f"run.pictures()[{self.picture!r}]"
        return [f"figure = publication_live.picture({picture})"]

    def _trace_in_python(self) -> list[str]:
        theory = ", model.equilibrium()" if type(self.model).offers("solve") else ", None"
        return [f"figure = traces(trace, type(model){theory})"]

    def _landscape_in_python(self) -> list[str]:
        first = ".isel(method=0)" if self.model.methods else ""
        return [
            f"landscape, states = model.landscape(), theory{first}",
            "values, stable = (np.atleast_1d(states[name].values) for name in (landscape.observable, 'stable'))",
            "figure = publication_live.landscape(landscape, type(model), values, stable)",
        ]

    def _function_in_python(self) -> list[str]:
        there = [o.name for o in self.model.observables if o.over is not None and self.model.applies(o)]
        name = self.function if self.function in there else there[0]
        against = self.model.observable(name).against
        runs = type(self.model).offers("simulation")
        measured = f", run.profiles().get({name!r})" if runs else ""
        measured += f", run.profiles().get({against!r})" if runs and against else ""
        return [f"figure = publication.function(theory, type(model), {name!r}{measured})"]

    def _distribution_in_python(self) -> list[str]:
        return [
            "laws = model.laws(run.time)",
            f"observable = {self.law!r}" if self.law else "observable = laws[0].observable",
            "laws = tuple(law for law in laws if law.observable == observable)",
            "figure = publication_live.histogram(laws, type(model), run.samples(observable))",
        ]

    def _diagram_in_python(self) -> list[str]:
        axes = f"{self.x!r}, {self.y!r}"
        zoomed = {"x_range": self.x_window, "y_range": self.y_window}
        windows = "".join(f", {name}={window!r}" for name, window in zoomed.items() if window)
        return [
            f"diagram = model.diagram({axes}{windows})",
            f"boundaries = model.boundaries({axes})",
            "figure = publication.diagram(",
            f"    diagram, type(model), {self.colour!r}, branch={self.branch!r}, method={self.method!r},",
            f"    boundaries=boundaries, marker=(model.{self.x}, model.{self.y}),",
            ")",
            f'figure.savefig("{self.model.key}-diagram.png", dpi=300)',
        ]

    def _curve_in_python(self) -> list[str]:
        name, observable = self.along_control, self.colour
        lines = [f"curve = model.theory({name}={self._axis_expression(161)})", "points = []"]
        if type(self.model).offers("simulation"):
            lines += [
                f"for value in {self._axis_expression(13)}:",
                f"    here = model.ensemble(samples={ENSEMBLE_SAMPLES}, seed={self.seed_expression}, {name}=value)",
                f"    if {observable!r} in here:",
                f"        error = here[{f'{observable}_standard_error'!r}]",
                f"        points.append((value, float(here[{observable!r}]), float(error)))",
            ]
        return [
            *lines,
            f"figure = publication.curve(curve, type(model), {name!r}, {observable!r}, points)",
            f'figure.savefig("{self.model.key}-curve.png", dpi=300)',
        ]

    def as_sweep(self) -> str:
        """The lines of Python that turn the curve on the screen into a sweep, resumable and past one machine."""
        fixed = {n: v for n, v in self.model.values().items() if n != self.along_control}
        arguments = ", ".join(f"{n}={v!r}" for n, v in fixed.items())
        return "\n".join(
            [
                "import numpy as np",
                "import mfexplore as mf",
                "from dask.distributed import Client, LocalCluster",
                "",
                'if __name__ == "__main__":  # a script is read again by every process it starts',
                "    cluster = LocalCluster(threads_per_worker=1)  # or SLURMCluster, KubeCluster: see the README",
                f'    model = mf.system("{self.model.key}")({arguments})',
                f"    over = {{{self.along_control!r}: {self._axis_expression(33)}}}",
                f'    store = "{self.model.key}.zarr"  # whatever is killed, the same lines go on from here',
                f"    seed = {self.seed_expression}",
                "    mf.sweep(model, over, samples=16, seed=seed, store=store, executor=Client(cluster))",
            ]
        )

    def _axis_expression(self, n: int) -> str:
        """The shown abscissa of the curve as an expression of NumPy."""
        low, high = self.window(self.along)
        made = self.model.control(self.along_control)
        values = f"np.{'geomspace' if made.scale == 'log' else 'linspace'}({low!r}, {high!r}, {n})"
        return f"np.unique(np.rint({values})).astype(int)" if made.is_integer else values

    def citation(self, page: str = "") -> str:
        """How to cite what is on the screen. page: as in `record`."""
        sources = "; ".join(s.citation for s in self.model.sources)
        link = self.record(page)["link"]
        return f"{self.model.title}, mfexplore {versions()['mfexplore']} ({link}). Theory: {sources}"


def _link_name(name: str, model: Model) -> str:
    """View entries that share their word with a control are prefixed in a link."""
    return f"view_{name}" if name in WORDS and name in model.controls() else name


def _usual_method(model: Model, observable: str) -> str | None:
    """The first theory that is of what the simulation does at these words, and no bound of the observable."""
    there = [m for m in model.methods if model.applies(m)]
    best = [m for m in there if model.describes(m) and m.bound_of(observable) is None]
    return next((m.name for m in best or there), None)


def _usual_colour(model: Model, wanted: str) -> str:
    """The observable of a plane, or the first that exists at these controls."""
    there = [o.name for o in model.observables if o.over is None and model.applies(o)]
    if not there:
        raise NotOfferedError(model.title, "an observable to colour a diagram by")
    return wanted if wanted in there else there[0]
