"""A figure for the kernel of a notebook: Bokeh's own models, made from the template and kept as the figure says."""

from __future__ import annotations

import json
from typing import Any

from bokeh.document import Document
from bokeh.models import Plot

from mfexplore.figures.frame import Figure
from mfexplore.figures.template import apply


class Mirror:
    """plot: the Bokeh figure; None while nothing is put up."""

    def __init__(self, figure: Figure) -> None:
        self._figure = figure
        self._models: dict[str, Any] = {}
        self.plot: Any = None

    def follow(self) -> bool:
        """Become what the figure is now. Returns whether there is another plot."""
        update = self._figure.take()
        if update.template is not None:
            document = Document.from_json(json.loads(update.template.document)["doc"])
            (self.plot,) = document.roots
            document.remove_root(self.plot)
            self._models = {model.id: model for model in self.plot.references()}
            for plot in self.plot.select({"type": Plot}):
                plot.output_backend = "canvas"  # a browser has fewer contexts of WebGL than a course has figures
        apply(self._models, update.changes)
        return update.template is not None
