"""What a theory returns for a batch of points, and how it becomes labelled data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.arithmetic import with_infinities
from mfexplore.core.declaration import Named
from mfexplore.core.errors import UnknownNameError
from mfexplore.core.provenance import attributes, provenance

if TYPE_CHECKING:
    import xarray as xr

    from mfexplore.core.model import Model, Profile

Array = NDArray[Any]
Points = Mapping[str, Array]
Shape = tuple[int, ...]


@dataclass
class Solution:
    """The theory at n points. Every array has shape (n, *methods, *branches): the method axis is there only if the
    model declares `methods`, the branch axis only if it declares `branches`, in declared order.

    values: the scalar observables by name; NaN where a branch does not exist.
    residual: how well the equations are solved. NaN: the branch is known not to exist here;
        infinite or above `Model.tolerance`: not converged, and the values are not to be trusted.
    stable: whether small deviations decay (None: every existing solution is).
    fails: where the theory itself fails, by the name of the failure; where several hold, the first is told.
    iterations: how many steps the solver took (None: closed form).
    """

    values: dict[str, Array]
    residual: Array
    stable: Array | None = None
    iterations: Array | None = None
    extra: dict[str, Array] = field(default_factory=dict)  # for classify and select only, never shown
    fails: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fails = {name: np.broadcast_to(mask, self.residual.shape) for name, mask in self.fails.items()}

    def exists(self, tolerance: float) -> Array:
        with np.errstate(invalid="ignore"):
            return np.asarray(self.residual <= tolerance)

    def converged(self, tolerance: float) -> Array:
        """True where the answer, or its absence, is known."""
        return np.isnan(self.residual) | self.exists(tolerance)


@dataclass(frozen=True)
class States:
    """What is known at every point when its phase is told: masks and values by branch, of shape (n, *methods)."""

    solution: Solution
    exists: Mapping[str, Array]
    stable: Mapping[str, Array]
    equilibrium: Mapping[str, Array]  # where this branch is the equilibrium

    @classmethod
    def of(cls, model: Model, solution: Solution, chosen: Array) -> States:
        exists = solution.exists(model.tolerance)
        stable = exists if solution.stable is None else exists & solution.stable
        names = [b.name for b in model.branches]
        return cls(
            solution,
            {name: exists[..., k] for k, name in enumerate(names)},
            {name: stable[..., k] for k, name in enumerate(names)},
            {name: chosen == k for k, name in enumerate(names)},
        )

    def value(self, observable: str, branch: str) -> Array:
        """The values of an observable on a branch."""
        return self.solution.values[observable][..., list(self.exists).index(branch)]


def first_that_holds(masks: Mapping[str, Array], declared: tuple[Named, ...], kind: str, shape: Shape) -> Array:
    """Index into what is declared of the first mask that holds, -1 where none does. Raises UnknownNameError."""
    names = [one.name for one in declared]
    code = np.full(shape, -1, np.int8)
    for name in reversed(list(masks)):
        if name not in names:
            raise UnknownNameError(kind, name, names)
        code[np.broadcast_to(masks[name], shape)] = names.index(name)
    return code


def flags(names: tuple[str, ...], first: int = 0) -> dict[str, Any]:
    """CF attributes that give the meaning of an integer variable."""
    return {
        "flag_values": np.arange(first, first + len(names), dtype=np.int8),
        "flag_meanings": " ".join(names),
    }


@with_infinities
def label(
    model: Model, axes: Mapping[str, Array], solution: Solution, profiles: Mapping[str, Profile] | None = None
) -> xr.Dataset:
    """Dataset of a solution whose points are the outer product of `axes`, last axis fastest; profiles: of all points,
    one after the other.

    Dimensions: the axes in the given order, then `method`, then `branch`, where the model has them. Besides the
    observables: `residual`, `converged`, `stable`, `validity`, `equilibrium` (index of the equilibrium branch, -1 if
    none is known) and `phase` (index into the model's phases, -1 if unknown).
    """
    shape = tuple(len(v) for v in axes.values())
    inner: dict[str, tuple[str, ...]] = {}
    if model.methods:
        inner["method"] = tuple(m.name for m in model.methods)
    if model.branches:
        inner["branch"] = tuple(b.name for b in model.branches)
    dims = (*axes, *inner)
    full = (*shape, *(len(v) for v in inner.values()))
    method_dims = (*axes, *(("method",) if model.methods else ()))

    exists = solution.exists(model.tolerance)
    variables: dict[str, Any] = {}
    for observable in model.observables:
        if observable.over is None and (observable.name in solution.values or not model.applies(observable)):
            values = np.where(exists, solution.values.get(observable.name, np.nan), np.nan)
            variables[observable.name] = (dims, values.reshape(full), attributes(observable))
    variables["residual"] = (dims, solution.residual.reshape(full), {"long_name": "residual of the equations"})
    converged = solution.converged(model.tolerance)
    meaning = {"long_name": "answer (or absence of this branch) is known"}
    variables["converged"] = (dims, converged.reshape(full), meaning)
    stable = exists if solution.stable is None else solution.stable & exists
    variables["stable"] = (dims, stable.reshape(full), {"long_name": "stable against small deviations"})
    validity = 1 + first_that_holds(solution.fails, model.failures, "failure", exists.shape)
    names = ("valid", *(f.name for f in model.failures))
    variables["validity"] = (
        dims,
        np.where(exists, validity, 0).astype(np.int8).reshape(full),
        {"long_name": "where the theory fails"} | flags(names),
    )
    if solution.iterations is not None:
        variables["iterations"] = (dims, solution.iterations.reshape(full), {"long_name": "solver iterations"})
    points = columns(model, axes)
    equilibrium = model.select(points, solution)
    if model.branches:
        names = ("unknown", *(b.name for b in model.branches))
        reshaped = equilibrium.astype(np.int8).reshape([len(v) for v in axes.values()] + list(equilibrium.shape[1:]))
        variables["equilibrium"] = (method_dims, reshaped, {"long_name": "equilibrium branch"} | flags(names, -1))
    if model.phases:
        phase = phases(model, points, solution, equilibrium)
        names = ("unknown", *(p.name for p in model.phases))
        phase_dims = method_dims if phase.ndim > 1 else tuple(axes)
        reshaped = phase.reshape([*shape, *phase.shape[1:]])
        variables["phase"] = (phase_dims, reshaped, {"long_name": "phase"} | flags(names, -1))

    coordinates: dict[str, Any] = {}
    declared = model.controls()
    for name, values in axes.items():
        coordinates[name] = (name, values, attributes(declared[name]))
    coordinates |= {k: (k, np.array(v)) for k, v in inner.items()}
    for name, profile in (profiles or {}).items():
        observable = model.observable(name)
        over = str(observable.over)
        values = profile.values.reshape((*shape, *profile.values.shape[1:]))
        variables[name] = ((*dims, over), values, attributes(observable))
        coordinates[over] = (over, profile.coordinate, *(attributes(c) for c in model.coordinates if c.name == over))
    return dataset_of(variables, coordinates, provenance(model))


def phases(model: Model, points: Points, solution: Solution, chosen: Array) -> Array:
    """Index of the phase at every point, of shape (n,) or (n, methods); -1 where it is unknown.
    Raises UnknownNameError.
    """
    masks = {
        name: np.asarray(mask) for name, mask in model.classify(points, States.of(model, solution, chosen)).items()
    }
    of_methods = any(mask.ndim == 2 for mask in masks.values())
    if of_methods:  # what does not depend on the method holds for all of them
        masks = {name: mask[:, None] if mask.ndim == 1 else mask for name, mask in masks.items()}
    shape = chosen.shape if of_methods else chosen.shape[:1]
    return first_that_holds(masks, model.phases, "phase", shape)


def dataset_of(variables: Mapping[str, Any], coordinates: Mapping[str, Any], about: Mapping[str, Any]) -> xr.Dataset:
    """Dataset of NumPy arrays, given as (dims, values) or (dims, values, attributes)."""
    import xarray as xr

    def variable(dims: Any, values: Array, about: Any = None) -> xr.Variable:
        # Without fastpath xarray imports dask.array, where it is installed, to learn that this is not such an array.
        # That takes a fifth of the time from the start of a process to its first result.
        return xr.Variable(dims, np.asarray(values), about, fastpath=True)

    given = [{k: variable(*v) for k, v in part.items()} for part in (variables, coordinates)]
    return xr.Dataset(given[0], given[1], about)


def values_of(dataset: xr.Dataset, method: str | None = None, branch: str | None = None) -> Callable[[str], Array]:
    """What gives the values of a variable by its name: of one method and of one branch, where it has these dimensions,
    or of all for None. The same by `sel` takes a hundred times as long, of which a slider would feel a thousandth of a
    second.
    """
    wanted = {"method": method, "branch": branch}
    places = {
        dim: dataset.get_index(dim).get_loc(name)
        for dim, name in wanted.items()
        if name is not None and dim in dataset.dims
    }

    def values(name: str) -> Array:
        variable = dataset.variables[name]
        found: Array = variable.values[tuple(places.get(str(dim), slice(None)) for dim in variable.dims)]
        return found

    return values


@with_infinities
def at_equilibrium(dataset: xr.Dataset) -> xr.Dataset:
    """The equilibrium branch of the dataset that `label` returns; observables and residual are NaN where it is unknown.

    `branch` becomes the name of that branch at each point.
    """
    index = dataset.variables["equilibrium"].values
    known, place = index >= 0, np.maximum(index, 0)
    single = dataset.variables["equilibrium"].dims
    parts: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for name, variable in dataset.variables.items():
        values, dims = variable.values, variable.dims
        if name == "equilibrium":
            continue
        if name == "branch":
            values, dims = values[place], single
        elif "branch" in dims:
            axis = dims.index("branch")
            where = np.expand_dims(place, tuple(range(axis, len(dims))))
            values = np.take_along_axis(values, where, axis).squeeze(axis)
            dims = (*dims[:axis], *dims[axis + 1 :])
            if values.dtype.kind == "f":
                values = np.where(known.reshape(known.shape + (1,) * (values.ndim - known.ndim)), values, np.nan)
        parts[name in dataset.coords][str(name)] = (dims, values, variable.attrs)
    return dataset_of(*parts, dataset.attrs)


@with_infinities
def columns(model: Model, axes: Mapping[str, Array]) -> dict[str, Array]:
    """One column per numerical control, for the outer product of the axes (last axis fastest)."""
    sizes = [len(v) for v in axes.values()]
    n = int(np.prod(sizes)) if sizes else 1
    points: dict[str, Array] = {}
    for name, made in model.controls().items():
        if made.is_choice or name in axes:
            continue
        points[name] = np.full(n, getattr(model, name), np.int64 if made.is_integer else np.float64)
    grids = np.meshgrid(*axes.values(), indexing="ij") if axes else []
    points |= {name: grid.ravel() for name, grid in zip(axes, grids, strict=True)}
    return points
