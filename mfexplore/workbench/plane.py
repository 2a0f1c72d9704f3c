"""All that theory says on a plane, on a grid: what a page without a server knows of where the marker may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.arithmetic import with_infinities
from mfexplore.core.distinct import distinct
from mfexplore.core.model import Model
from mfexplore.figures.curves import lines_of
from mfexplore.figures.scale import Scale
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.sentence import number, sentence
from mfexplore.workbench.tape import Tape

if TYPE_CHECKING:
    import xarray as xr

MOST = 129  # points along a side
NONE = 255  # instead of the number of a line
VALUE = "\0"  # stands for the value in a sentence
STABLE, CHOSEN = 1, 2  # of a state


class Plane:
    """The theory of a diagram, as it is looked at.

    Attributes:
        x, y: the places of the grid on the axes, shapes (columns,) and (rows,).
        kinds: which of the states of each line are stable, and which are in equilibrium; shape (lines, rows, columns).
        picks: whose line the diagram shows; shape (rows, columns).
        values: of an observable on every line, as places on its axis; shape (lines, rows, columns).
        sentences: for an observable the words that there are, and which of them is said where.
    """

    @with_infinities
    def __init__(self, dataset: xr.Dataset, at: Exploration) -> None:
        self.at, self.kind = at, type(at.model)
        rows, columns = (slice(None, None, -(-dataset.sizes[name] // MOST)) for name in (at.y, at.x))
        self._dataset = dataset.isel({at.y: rows, at.x: columns})
        self.x, self.y = (
            Scale(self.kind.control(name)).place(self._dataset[name].values.astype(float)) for name in (at.x, at.y)
        )
        self._lines = lines_of(self.kind)
        methods, branches = self.kind.methods, [branch.name for branch in self.kind.branches]
        self._method = at.method or (methods[0].name if methods else None)
        shown = self._of(self._method)
        mine = [k for k, line in enumerate(self._lines) if line.method == self._method or not methods]
        kinds, self.picks = [], np.full((len(self.y), len(self.x)), mine[0], np.uint8)
        for line in self._lines:
            stable = self._grid("stable", line.method, line.branch) > 0
            chosen = stable
            if line.branch is not None:
                chosen = self._grid("equilibrium", line.method) == branches.index(line.branch)
            kinds.append((STABLE * stable + CHOSEN * chosen).astype(np.uint8))
        self.kinds = np.stack(kinds)
        if branches:
            index = np.full(self.picks.shape, branches.index(at.branch)) if at.branch else shown["equilibrium"].values
            self.picks = np.where(index >= 0, mine[0] + index, NONE).astype(np.uint8)
        self.values = {
            o.name: np.stack([Scale(o).place(self._grid(o.name, one.method, one.branch)) for one in self._lines])
            for o in self.kind.observables
            if o.name in dataset and o.over is None and at.model.applies(o)
        }
        self.sentences: dict[str, tuple[list[list[str]], NDArray[np.uint8]]] = {}

    def _of(self, method: str | None) -> xr.Dataset:
        """The theory over (y, x, ...) of one method."""
        one = self._dataset.sel({"method": method}) if method and "method" in self._dataset.dims else self._dataset
        return one.transpose(self.at.y, self.at.x, ...)

    def _grid(self, name: str, method: str | None, branch: str | None = None) -> NDArray[Any]:
        """A variable on the grid, shape (rows, columns)."""
        one = self._of(method)[name]
        if "method" in one.dims:
            one = one.sel({"method": method})
        return (one.sel(branch=branch) if branch is not None and "branch" in one.dims else one).values

    def say(self, at: Exploration) -> None:
        """Find the words for every point, as `sentence` says them; those for points of one kind are the same."""
        if at.colour in self.sentences or at.colour not in self.values:
            return
        shown = self._of(self._method)
        inside = np.minimum(self.picks, len(self._lines) - 1)
        value = np.take_along_axis(self.values[at.colour], inside[None].astype(int), 0)[0]
        rows = [self.picks, np.isnan(value)]
        for name in ("phase", "validity", "converged"):
            if name in shown:
                grid = shown[name].values
                rows += list(np.moveaxis(grid, -1, 0)) if grid.ndim > 2 else [grid]
        first, place = distinct([np.ravel(row).astype(np.int16) for row in rows])
        texts = [self._words(at, int(one), value) for one in first]
        told = {text: k for k, text in enumerate(dict.fromkeys(texts))}
        which = np.array([told[text] for text in texts])[place]
        self.sentences[at.colour] = [list(text) for text in told], which.reshape(value.shape).astype(np.uint8)

    def _words(self, at: Exploration, cell: int, values: NDArray[Any]) -> tuple[str, ...]:
        row, column = divmod(cell, len(self.x))
        theory = self._dataset.isel({at.y: row, at.x: column})
        said = sentence(at.model, theory, at.colour, at.branch, at.method)
        value = Scale(self.kind.observable(at.colour)).value(values[row, column])
        text = said.text.replace(f" {number(value)} in theory", f" {VALUE} in theory", 1)
        return said.headline, text, said.validity, said.verdict

    def packed(self, tape: Tape, coarse: bool) -> dict[str, Any]:
        """The same as JSON can hold it, with the arrays on a tape. coarse: every second point."""
        every = (..., slice(None, None, 2), slice(None, None, 2)) if coarse else (...,)

        def keep(values: NDArray[Any]) -> dict[str, str]:
            return {"id": tape.keep(values[every])}

        step = 2 if coarse else 1
        scales = {name: Scale(self.kind.observable(name)) for name in self.values}
        return {
            "x": self.x[::step].tolist(), "y": self.y[::step].tolist(),
            "kinds": keep(self.kinds), "picks": keep(self.picks),
            "values": {name: keep(values.astype(np.float32)) for name, values in self.values.items()},
            "ranges": {name: None if scales[name].is_log else self._range(name) for name in self.values},
            "sentences": {name: {"texts": texts, "which": keep(which)}
                          for name, (texts, which) in self.sentences.items()},
        }  # fmt: skip

    def _range(self, name: str) -> tuple[float, float]:
        """What an axis for the stable states anywhere in the plane has to show."""
        declared = self.kind.observable(name)
        return Scale(declared).range(self.values[name][self.kinds > 0], declared.low, declared.high)


def lines(kind: type[Model]) -> list[dict[str, Any]]:
    """What the page has to know of the lines of a system."""
    bounds = {m.name: {o.name: side for o in kind.observables if (side := m.bound_of(o.name))} for m in kind.methods}
    return [
        {"colour": line.colour, "title": line.title, "bounds": bounds.get(line.method or "", {})}
        for line in lines_of(kind)
    ]
