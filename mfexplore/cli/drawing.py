"""Pictures made of characters, for a look at a result without leaving the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from mfexplore.core.model import Model
from mfexplore.core.solution import Array

if TYPE_CHECKING:
    import xarray as xr

BARS = "▁▂▃▄▅▆▇█"
SHADES = " ░▒▓█"
MARKS = "·o#+x%=@"  # a phase is told by its mark; its colour only helps
TINTS = ("blue", "yellow", "cyan", "magenta", "green", "red", "white", "bright_blue")


def sparkline(values: Array, width: int = 20) -> str:
    """A series as a line of little bars, from its least to its largest value."""
    values = values[np.isfinite(values)]
    if not values.size:
        return ""
    picked = values[np.linspace(0, values.size - 1, min(width, values.size)).astype(int)]
    span = np.ptp(picked) or 1.0
    return "".join(BARS[round(7 * (v - picked.min()) / span)] for v in picked)


def diagram_map(model: Model, dataset: xr.Dataset, x: str, y: str, colour: str, columns: int = 64) -> Text:
    """A diagram as a map of characters: its phases, or shades of an observable where it has none."""
    if "phase" in dataset:
        cells, legend = dataset["phase"], [(p.title, MARKS[i % 8], TINTS[i % 8]) for i, p in enumerate(model.phases)]
    else:
        cells, legend = dataset[colour], []
    for other in [d for d in cells.dims if d not in (x, y)]:
        cells = cells.isel({other: 0})
    table = cells.transpose(y, x).values
    rows = np.linspace(table.shape[0] - 1, 0, min(columns // 3, table.shape[0])).astype(int)
    picked = table[np.ix_(rows, np.linspace(0, table.shape[1] - 1, min(columns, table.shape[1])).astype(int))]
    text = Text(f"{y.replace('_', ' ')} ↑\n")
    low, high = (np.nanmin(picked), np.nanmax(picked)) if np.isfinite(picked).any() else (0, 1)
    for row in picked:
        text.append("│")
        for value in row:
            if legend:
                _, mark, tint = legend[int(value)] if value >= 0 else ("", "?", "white")
                text.append(mark, tint)
            else:
                text.append("?" if np.isnan(value) else SHADES[int(4 * (value - low) / ((high - low) or 1))])
        text.append("\n")
    text.append("└" + "─" * picked.shape[1] + f"→ {x.replace('_', ' ')}\n")
    xs, ys = dataset[x].values, dataset[y].values
    text.append(f"{x} {xs[0]:g} … {xs[-1]:g}, {y} {ys[0]:g} … {ys[-1]:g}\n")
    for title, mark, tint in legend:
        text.append(f" {mark} ", tint)
        text.append(title)
    if not legend:
        text.append(f"{colour.replace('_', ' ')} from {low:.4g} (light) to {high:.4g} (dark)")
    return text
