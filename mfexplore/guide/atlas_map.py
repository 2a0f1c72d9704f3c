"""The map of all systems: who belongs to whom, drawn once as an SVG whose places are links.

Systems that are related, or of one wing, come to lie near each other: their distances on the page shall be as far as
possible those that are wanted (stress majorisation; Gansner, Koren and North 2004). Then names that cover each other
are pushed apart, and lines go around the names that they do not mean. Nothing is drawn by chance, so the same atlas
always gives the same map: one for a wide page, and one for a narrow page, as long as it has to be.
"""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.catalogue import Entry, wings
from mfexplore.core.declaration import Relation
from mfexplore.core.related import known, relations
from mfexplore.guide.routes import routes

Places = NDArray[np.float64]

RELATED, SAME_WING, STRANGERS = 1.0, 1.5, 3.5  # wanted distances; across the map at most the last
UNIT, STRETCH = 150.0, 1.5  # units of the drawing per distance, and how much wider than high the map is
LETTER, LINE, PADDING, GAP = 6.8, 15.0, 18.0, 14.0  # sizes of a name in the drawing
NARROW = 366.0  # width of the narrow map
TURN = 7.0  # radius of a bend of a line
LONGEST = 19  # letters of a line of a name
ROUNDS, PUSHES, PATIENCE = 300, 4000, 50

STROKES = {
    "is a limit of": "same", "is a case of": "same", "coincides with": "same", "is the quantum version of": "same",
    "has the same transition as": "transition", "looks differently at": "leads", "builds on": "leads",
    "shares the method with": "method", "contrasts with": "contrast",
}  # fmt: skip
LEGEND = {
    "same": "limit, case or the same model", "transition": "same transition", "leads": "builds on, or looks anew at",
    "method": "same method", "contrast": "contrast",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A system on the map. lines: its name; x, y, width, height: of its box, in units of the drawing."""

    entry: Entry
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float


def wanted_distances(entries: list[Entry], said: list[tuple[int, int]]) -> Places:
    """How far apart systems should lie, shape (n, n): along the shortest way over relations and wings."""
    n = len(entries)
    steps = np.full((n, n), STRANGERS)
    for i, one in enumerate(entries):
        for j, other in enumerate(entries):
            if one.wing == other.wing:
                steps[i, j] = SAME_WING
    for i, j in said:
        steps[i, j] = steps[j, i] = RELATED
    np.fill_diagonal(steps, 0)
    for k in range(n):
        steps = np.minimum(steps, steps[:, k, None] + steps[None, k])
    return steps


def laid_out(distances: Places, start: Places) -> Places:
    """Places (n, 2) whose distances are nearly those wanted; an error counts by the inverse square of the distance."""
    places, n = start.copy(), len(start)
    if n < 2:
        return places
    weights = 1 / np.where(distances > 0, distances, np.inf) ** 2
    laplacian = np.diag(weights.sum(axis=1)) - weights
    inverse = np.linalg.inv(laplacian + 1 / n)  # the centre of mass is free: the added constant holds it
    for _ in range(ROUNDS):
        gaps = places[:, None] - places[None]
        length = np.maximum(np.hypot(gaps[..., 0], gaps[..., 1]), 1e-9)
        pull = weights * distances / length
        places = inverse @ (pull.sum(axis=1)[:, None] * places - pull @ places)
    return places


def apart(centres: Places, sizes: Places) -> Places:
    """Centres of boxes that do not cover each other: each pair that does gives way along the shorter side, and where
    that takes too long all make room.
    """
    centres = centres.copy()
    n = len(centres)
    for push in range(1, PUSHES):
        gaps = centres[:, None] - centres[None]
        covered = (sizes[:, None] + sizes[None]) / 2 - np.abs(gaps)
        covered[np.arange(n), np.arange(n)] = -1
        touch: NDArray[np.bool_] = np.all(covered > 1e-6, axis=-1)
        if not touch.any():
            break
        first = np.sign(np.arange(n)[:, None] - np.arange(n)[None])  # where two centres are one
        way = np.where(gaps == 0, first[..., None], np.sign(gaps))
        shorter = (covered == covered.min(axis=-1, keepdims=True)) & touch[..., None]
        centres += (0.25 * np.where(shorter, covered + 0.5, 0) * way).sum(axis=1)
        centres *= 1 if push % PATIENCE else 1.02
    return centres


def in_rows(centres: Places, sizes: Places, width: float) -> Places:
    """Centres of the same boxes in rows that are no wider than this, from above and from the left as they lay."""
    rows: list[list[int]] = [[]]
    for k in np.argsort(centres[:, 1], kind="stable"):
        if rows[-1] and sizes[[*rows[-1], k], 0].sum() > width:
            rows.append([])
        rows[-1].append(int(k))
    made, top = np.zeros_like(centres), 0.0
    for row in rows:
        row.sort(key=lambda k: centres[k, 0])
        space = (width - sizes[row, 0].sum()) / len(row)  # shared among them
        made[row, 0] = np.cumsum(sizes[row, 0] + space) - (sizes[row, 0] + space) / 2
        made[row, 1] = top + sizes[row, 1].max() / 2
        top += sizes[row, 1].max()
    return made


@cache
def places(narrow: bool = False) -> tuple[Place, ...]:
    """Every system and where it lies."""
    order = list(wings())
    entries = sorted(known().values(), key=lambda one: (order.index(one.wing), one.title))
    if not entries:
        return ()
    at = {one.key: i for i, one in enumerate(entries)}
    said = [(at[one.key], at[other.key]) for one, _, other in relations()]
    around = 2 * np.pi * np.arange(len(entries)) / len(entries)
    start = 2 * np.stack([np.cos(around), np.sin(around)], axis=-1)
    names = [tuple(textwrap.wrap(one.title, LONGEST)) for one in entries]
    sizes = np.array([[LETTER * max(map(len, lines)) + PADDING, LINE * len(lines) + PADDING / 2] for lines in names])
    spread = laid_out(wanted_distances(entries, said), start)
    wide = spread * UNIT * np.array([STRETCH, 1])
    centres = in_rows(wide, sizes + GAP, NARROW - GAP) if narrow else apart(wide, sizes + GAP)
    centres -= (centres - sizes / 2).min(axis=0) - GAP
    return tuple(
        Place(one, lines, *map(float, (*centre, *size)))
        for one, lines, centre, size in zip(entries, names, centres, sizes, strict=True)
    )


@cache
def draw(suffix: str = "", narrow: bool = False) -> str:
    """The map as SVG; style sheets give it colours. suffix: of the addresses of systems, as ".html"."""
    there = {place.entry.key: place for place in places(narrow)}
    if not there:
        return ""
    width, height = (max(getattr(p, a) + getattr(p, b) / 2 for p in there.values()) + GAP for a, b in
                     (("x", "width"), ("y", "height")))  # fmt: skip
    ways = lines_between(tuple(there.values()))
    lines = "".join(_line(said, way) for said, way in zip(relations(), ways, strict=True))
    hues = {wing: i for i, wing in enumerate(wings())}
    names = "".join(_name(place, hues[place.entry.wing], len(hues), suffix) for place in there.values())
    return (
        f'<svg class="atlas" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        'role="group" aria-label="Map of the systems and their relations; the list below says the same in words">'
        f"<g>{lines}</g>{names}</svg>"
    )  # fmt: skip


def lines_between(there: tuple[Place, ...]) -> list[Places]:
    """The turning points of the line of every relation, shape (points, 2)."""
    at = {place.entry.key: k for k, place in enumerate(there)}
    centres = np.array([(place.x, place.y) for place in there])
    sizes = np.array([(place.width, place.height) for place in there])
    return routes(centres, sizes, [(at[one.key], at[other.key]) for one, _, other in relations()])


def _line(said: tuple[Entry, Relation, Entry], way: Places) -> str:
    one, relation, other = said
    words = html.escape(f"{one.title} {relation.kind} {other.title}. {relation.because}")
    return (
        f'<path class="{STROKES[relation.kind]}" data-ends="{one.key} {other.key}" d="{_rounded(way)}">'
        f"<title>{words}</title></path>"
    )


def _rounded(way: Places) -> str:
    """A path along these points that bends at each of them."""
    text = "M{:.1f} {:.1f}".format(*way[0])
    for before, here, after in zip(way, way[1:], way[2:], strict=False):
        ends = []
        for other in (before, after):
            length = float(np.hypot(*(other - here)))
            ends.append(here + (other - here) * min(TURN / max(length, 1e-9), 0.5))
        text += "L{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}".format(*ends[0], *here, *ends[1])
    return text + "L{:.1f} {:.1f}".format(*way[-1])


def _name(place: Place, wing: int, count: int, suffix: str) -> str:
    left, top = place.x - place.width / 2, place.y - place.height / 2
    first = place.y - LINE * (len(place.lines) - 1) / 2
    text = "".join(
        f'<text x="{place.x:.1f}" y="{first + LINE * i:.1f}">{html.escape(line)}</text>'
        for i, line in enumerate(place.lines)
    )
    return (
        f'<a href="{place.entry.key}{suffix}" data-key="{place.entry.key}" style="--hue: {360 * wing // count}" '
        f'aria-label="{html.escape(place.entry.title)}"><title>{html.escape(place.entry.summary)}</title>'
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{place.width:.1f}" height="{place.height:.1f}" rx="8"/>{text}</a>'
    )  # fmt: skip
