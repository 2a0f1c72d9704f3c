"""One record of an exploration: the permalink, the preset, the history entry, the provenance, the line of Python."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from mfexplore.core.catalogue import system
from mfexplore.core.errors import ControlError, MfexploreError, UnknownNameError
from mfexplore.core.model import Model
from mfexplore.core.provenance import versions
from mfexplore.core.seeds import Seed, check_seed, read_seed, seed_text, written_seed

Window = tuple[float, float]
ENSEMBLE_SAMPLES = 8


@dataclass(frozen=True)
class Exploration:
    """Everything that decides what is on the screen.

    Attributes:
        model: the system at its controls.
        seed: of the simulation and the ensembles.
        x, y: the plane of the diagram. colour: the observable shown in it.
        branch, method: whose values are shown (None: equilibrium branch, first method).
        along: "x" or "y", the axis of the theory-against-simulation curve.
        x_window, y_window: the zoom (None: as declared).
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))

    @classmethod
    def of(cls, model: Model, **view: Any) -> Self:
        """The exploration of a model in its default view. Raises UnknownNameError for a bad axis or observable."""
        if not model.planes:
            return cls(model, **view)
        plane = model.plane(view.pop("x", None) or None, view.pop("y", None) or None)
        method = model.methods[0].name if model.methods else None
        view = {"colour": plane.colour, "branch": plane.branch, "along": plane.along, "method": method} | view
        made = cls(model, x=plane.x, y=plane.y, **view)
        model.observable(made.colour)
        if made.branch is not None and made.branch not in [b.name for b in model.branches]:
            raise UnknownNameError("branch", made.branch, [b.name for b in model.branches])
        if made.method is not None and made.method not in [m.name for m in model.methods]:
            raise UnknownNameError("method", made.method, [m.name for m in model.methods])
        if made.along not in ("x", "y"):
            raise UnknownNameError("axis", made.along, ["x", "y"])
        return made

    # -- change ---------------------------------------------------------------------------------------------------

    def with_controls(self, **controls: Any) -> Self:
        """Other controls, same view. Raises ControlError and UnknownNameError."""
        return replace(self, model=self.model.replace(**controls))

    def with_seed(self, value: Any) -> Self:
        """Another seed, perhaps as somebody typed it. Raises SeedError."""
        return replace(self, seed=read_seed(value) if isinstance(value, str) else value)

    def with_view(self, **view: Any) -> Self:
        """Another view of the same controls; changing an axis drops the zoom, and choosing for one axis the control of
        the other swaps the two.
        """
        if self.x and view.get("x", self.x) == view.get("y", self.y):
            view = {"x": self.y, "y": self.x} | ({"along": {"x": "y", "y": "x"}[self.along]} | view)
            view |= {"y": self.x} if view["x"] == self.y else {"x": self.y}
        if "x" in view or "y" in view:
            view = {"x_window": None, "y_window": None} | view
        changed = replace(self, **view)
        return self.of(self.model, **{k: v for k, v in vars(changed).items() if k != "model"})

    def window(self, axis: str) -> Window:
        """The shown range of axis "x" or "y"."""
        zoom: Window | None = self.x_window if axis == "x" else self.y_window
        return zoom or self.model.range(self.model.plane(self.x, self.y), axis)

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

    def theory_controls(self, *axes: str) -> tuple[tuple[str, Any], ...]:
        """The controls that theory depends on and their values, but those that are axes."""
        values = self.model.values().items()
        return tuple((n, v) for n, v in values if n not in axes and self.model.control(n).part != "simulation")

    # -- permalink ------------------------------------------------------------------------------------------------

    def to_query(self) -> str:
        """Every value, so that a link outlives changed defaults: "v=1&temperature=0.2&...&seed=1&x=load&..."."""
        pairs: dict[str, Any] = {"v": self.model.version} | self.model.values() | {"seed": self.seed_text}
        for name in ("x", "y", "colour", "branch", "method", "along"):
            if getattr(self, name):
                pairs[name] = getattr(self, name)
        for name in ("x_window", "y_window"):
            if getattr(self, name):
                pairs[name] = "{!r},{!r}".format(*getattr(self, name))
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
        for name, text in pairs.items():
            try:
                if name in kind.controls():
                    values[name] = kind.control(name).check(text, kind.title)
                elif name == "seed":
                    seed = read_seed(text)
                elif name.removeprefix("view_") in ("x", "y", "colour", "branch", "method", "along"):
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
        model = kind(**values)
        made = cls.of(model, seed=seed)
        for name, value in view.items():  # one by one, so that one bad word costs only itself
            try:
                changed = replace(made, **{name: value})
                made = cls.of(model, **{k: v for k, v in vars(changed).items() if k != "model"})
                made.window("x"), made.window("y")
            except MfexploreError as error:
                notices.append(f"{error} The default is used.")
        return made, notices

    # -- everything else that it is -------------------------------------------------------------------------------

    def record(self) -> dict[str, Any]:
        """The same as plain data, for files: system, version, query, seed, package versions."""
        return {
            "system": self.model.key,
            "system_version": self.model.version,
            "link": f"{self.model.key}?{self.to_query()}",
            "seed": written_seed(self.seed),
            "versions": versions(),
        }

    def to_json(self) -> str:
        return json.dumps(self.record())

    @classmethod
    def from_json(cls, text: str) -> tuple[Self, list[str]]:
        key, _, query = json.loads(text)["link"].partition("?")
        return cls.from_query(key, query)

    def as_python(self) -> str:
        """The lines of Python that compute what is on the screen."""
        kind = type(self.model)
        defaults = kind()
        changed = {n: v for n, v in self.model.values().items() if v != getattr(defaults, n)}
        arguments = ", ".join(f"{n}={v!r}" for n, v in changed.items())
        lines = ["import numpy as np", "import mfexplore as mf", "", f'model = mf.system("{kind.key}")({arguments})']
        if kind.offers("solve"):
            lines += ["model.theory()  # every branch of the theory"]
        if self.x:
            lines += [f'model.diagram(x="{self.x}", y="{self.y}", resolution=257)["{self.colour}"]']
            lines += [f'model.boundaries(x="{self.x}", y="{self.y}")']
            lines += [f"model.theory({self.along_control}={self._axis_expression(101)})"]
        if kind.offers("simulation"):
            lines += [f"run = model.simulate(seed={self.seed_expression})", "run.advance(100)", "run.trace()"]
            lines += [
                f"model.ensemble(samples={ENSEMBLE_SAMPLES}, seed={self.seed_expression})  # mean and standard error"
            ]
        return "\n".join(lines)

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

    def citation(self) -> str:
        """How to cite what is on the screen."""
        sources = "; ".join(s.citation for s in self.model.sources)
        link = f"{self.model.key}?{self.to_query()}"
        return f"{self.model.title}, mfexplore {versions()['mfexplore']} ({link}). Theory: {sources}"


def _link_name(name: str, model: Model) -> str:
    """View entries that share their word with a control are prefixed in a link."""
    return f"view_{name}" if name in ("x", "y", "method", "branch") and name in model.controls() else name
