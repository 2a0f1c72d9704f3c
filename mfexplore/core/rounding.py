"""What is asked for and what is simulated: a lattice has whole sides and a network whole memories, so a simulation may
have another size, or another load, than its model. `Model.realised` says which; results and labels say that.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore.core.controls import Value
from mfexplore.core.errors import ControlError
from mfexplore.core.model import Model
from mfexplore.core.solution import Array


@dataclass(frozen=True)
class Grid:
    """A grid of models as it is simulated.

    model: the controls that are the same everywhere. axes: the values along each axis.
    varying: controls that are rounded otherwise from point to point, over all axes: what is simulated at each.
    """

    model: Model
    axes: dict[str, Array]
    varying: dict[str, Array]


def simulated_grid(model: Model, axes: Mapping[str, Array]) -> Grid:
    """The values that a simulation has on the outer product of axes.

    Raises ControlError if two points of the grid are one and the same simulation.
    """
    if not model.offers("realised"):
        return Grid(model, dict(axes), {})
    shape = tuple(len(values) for values in axes.values())
    asked = [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]
    found = [model.replace(**point).realised() for point in asked]
    _refuse_twins(model, asked, found)
    fixed: dict[str, Value] = {}
    along, varying = dict(axes), {}
    for name, made in model.controls().items():
        if made.is_choice or made.part == "theory":
            continue
        values = np.array([getattr(one, name) for one in found]).reshape(shape)
        if name in axes:
            k = list(axes).index(name)
            column = np.moveaxis(values, k, 0).reshape(shape[k], -1)
            if (column == column[:, :1]).all() and len(np.unique(column[:, 0])) == shape[k]:
                along[name] = column[:, 0]
            else:
                varying[name] = values
        elif values.size and (values == values.flat[0]).all():
            fixed[name] = values.flat[0].item()
        else:
            varying[name] = values
    return Grid(model.replace(**fixed), along, varying)


def _refuse_twins(model: Model, asked: list[dict[str, Any]], found: list[Model]) -> None:
    twins: dict[Model, list[dict[str, Any]]] = {}
    for point, one in zip(asked, found, strict=True):
        twins.setdefault(one, []).append(point)
    for one, points in twins.items():
        differing = [name for name in points[0] if len({point[name] for point in points}) > 1]
        if differing:
            name = differing[0]
            values = list(dict.fromkeys(_plain(point[name]) for point in points))
            same = f"these are one and the same simulation, that of {name} = {_plain(getattr(one, name))!r}"
            raise ControlError(model.title, name, values, f"values that are simulated apart; {same}")


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
