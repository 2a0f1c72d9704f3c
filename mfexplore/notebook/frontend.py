"""What the page in front of the kernel has and needs: BokehJS, which comes from here and not from the network.

A small script runs in each view of the workbench and tells, through a hidden text field, whether BokehJS is there. If
not, it is sent: once for each page, as an output that is removed again, so that it does not end up in the saved file.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import bokeh
import ipywidgets as widgets

HERE = Path(__file__).parent
SCRIPTS = Path(bokeh.__file__).parent / "server" / "static" / "js"


class Frontend:
    """The page's side of one workbench.

    Attributes:
        widget: has to be somewhere in what is displayed.
        name: class of the part of the page whose plane the arrow keys move.
    """

    def __init__(
        self, ready: Callable[[], None], dressed: Callable[[str], None], moved: Callable[[int, int], None],
        looked: Callable[[bool], None],
    ) -> None:  # fmt: skip
        """ready: a view appeared, and can show figures. dressed: told the theme. moved: steps of the arrow keys.
        looked: told again and again while there is a page whether it is in sight.
        """
        self._ready, self._dressed, self._moved, self._looked = ready, dressed, moved, looked
        made = uuid.uuid4().hex[:12]
        self.name = f"mfexplore-{made}"
        self._ear = widgets.Text(layout={"display": "none"})
        self._ear.add_class(f"mfexplore-ear-{made}")
        hello = (HERE / "hello.js").read_text().replace("__ID__", made).replace("__VERSION__", bokeh.__version__)
        self._hello = widgets.Output(outputs=(_html(f"<script>{hello}</script>"),))
        self._scripts = widgets.Output()
        self._seen = ""
        self._sent = ("", "")
        self._theme = ""
        self._steps = [0, 0]
        self.widget = widgets.VBox([self._ear, self._scripts, self._hello])
        self.widget.add_class("mfexplore-hidden")
        self._ear.observe(lambda change: self.hear(change["new"]), "value")

    def hear(self, text: str) -> None:
        """What the script in the page says; each message repeats everything, so one that got lost does not matter."""
        said: dict[str, Any] = json.loads(text)
        if said["theme"] != self._theme:
            self._theme = said["theme"]
            self._dressed(self._theme)
        if said["missing"]:
            if self._sent != (said["view"], said["missing"]):
                self._sent = (said["view"], said["missing"])
                self._scripts.outputs = (_html(scripts(said["missing"])),)
            return
        if said["view"] != self._seen:
            self._seen, self._steps = said["view"], [0, 0]
            self._scripts.outputs = ()
            self._ready()
        across, up = (now - before for now, before in zip(said["steps"], self._steps, strict=True))
        self._steps = said["steps"]
        if across or up:
            self._moved(across, up)
        self._looked(said["visible"])


@cache
def scripts(missing: str) -> str:
    """BokehJS ("all"), or the part of it that sets mathematics, as inline scripts."""
    files = ["bokeh-mathjax.min.js"] if missing == "mathematics" else ["bokeh.min.js", "bokeh-mathjax.min.js"]
    inline = [(SCRIPTS / name).read_text().replace("</script", "<\\/script") for name in files]
    inline.append(f'window.mfexploreMathematics = "{bokeh.__version__}";')
    return "".join(f"<script>{text}</script>" for text in inline)


def _html(text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/html": text}, "metadata": {}}
