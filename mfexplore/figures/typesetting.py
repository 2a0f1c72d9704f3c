"""Mathematics in axis titles as paths, for a page that has no room for MathJax: set by matplotlib in the same letters.

Bokeh hands what it finds between dollars to `MathJax.tex2svg`, and draws the picture that comes back.
"""

from __future__ import annotations

import re

from mfexplore.figures.publication import paper
from mfexplore.figures.style import mpl_math

EM, X_HEIGHT = 1000, 430.6  # units of the picture; that of Computer Modern, to which MathJax fits the other letters
DOLLARS = re.compile(r"\$\$(.+?)\$\$")


def formula(label: str) -> str:
    """What Bokeh asks MathJax for, to set this label; words become text."""
    parts = DOLLARS.split(label.rstrip())  # words, mathematics, words, ...
    return "".join(part if k % 2 else rf"\text{{{part}}}" if part else "" for k, part in enumerate(parts))


def svg(label: str) -> str:
    """The label as SVG, of the size that MathJax would say: in ex, with its depth in the style."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path
    from matplotlib.textpath import TextPath

    text = DOLLARS.sub(lambda found: f"${mpl_math(found[1])}$", label.rstrip())
    with paper():
        path = TextPath((0, 0), text, size=EM, prop=FontProperties(family="cmr10", math_fontfamily="cm"))
    letters = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}
    drawn = "".join(
        letters[code] + ("" if code == Path.CLOSEPOLY else " ".join(f"{round(v)}" for v in points))
        for points, code in path.iter_segments(simplify=False)
    )
    (_, bottom), (right, top) = path.get_extents().get_points()
    bottom, top = min(bottom, 0.0) - 20, max(top, 700.0) + 20
    width, height = (f"{size / X_HEIGHT:.3f}ex" for size in (right, top - bottom))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 {-top:.0f} {right:.0f} {top - bottom:.0f}" style="vertical-align: {bottom / X_HEIGHT:.3f}ex">'
        f'<path stroke-width="0" transform="scale(1,-1)" d="{drawn}"/></svg>'
    )
