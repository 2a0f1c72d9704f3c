"""The lessons of the course, as far as they are there: a checkout has them, an installed package does not."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mfexplore.core.catalogue import places
from mfexplore.figures.prose import to_html

FOLDER = Path(__file__).parents[2] / "notebooks"
HEADING = re.compile(r"#\s*(\d+)\s*·\s*(.+)")


@dataclass(frozen=True)
class Lesson:
    """A notebook of the course. name: of its file; systems: keys of those that its code opens, in their order."""

    name: str
    number: int
    title: str
    systems: tuple[str, ...]
    cells: tuple[tuple[str, str], ...]  # kind ("markdown", "code" or "figure", a PNG in base64) and text

    def page(self) -> str:
        """Its text and stored figures as HTML; code stands as it is."""
        return "\n".join(_shown(kind, text) for kind, text in self.cells)


@cache
def lessons() -> tuple[Lesson, ...]:
    """All lessons in order; none where there is no folder of them."""
    return tuple(read(file) for file in sorted(FOLDER.glob("[0-9]*.ipynb")))


def read(file: Path) -> Lesson:
    """One lesson from its notebook, whose first cell begins with "# 3 · Title"."""
    cells = []
    for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
        cells.append((cell["cell_type"], "".join(cell["source"])))
        cells += [("figure", output["data"]["image/png"]) for output in cell.get("outputs", [])]
    heading = HEADING.match(cells[0][1])
    number, title = (int(heading[1]), heading[2].strip()) if heading else (0, file.stem)
    words = re.findall(r'"(\w+)"', "\n".join(text for kind, text in cells if kind == "code"))
    systems = tuple(dict.fromkeys(word for word in words if word in places()))
    return Lesson(file.stem, number, title, systems, tuple((kind, text) for kind, text in cells if text.strip()))


def figure(image: str) -> str:
    """A stored figure as HTML."""
    return f'<img class="drawn" src="data:image/png;base64,{image}" alt="What the code above draws">'


def _shown(kind: str, text: str) -> str:
    if kind == "markdown":
        return to_html(text)
    return figure(text) if kind == "figure" else f'<pre tabindex="0"><code>{html.escape(text)}</code></pre>'


def lessons_of(key: str) -> list[Lesson]:
    """The lessons that open a system."""
    return [lesson for lesson in lessons() if key in lesson.systems]
