"""The workbench as a component of Panel, for anybody's app, template or notebook cell.

>>> import mfexplore as mf
>>> from mfexplore.app import Workbench
>>> bench = Workbench(mf.system("hopfield")(temperature=0.2))     # doctest: +SKIP
>>> pn.Row(pn.widgets.FloatSlider.from_param(bench.controls.param.temperature), bench).servable()  # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import panel as pn
import param
from panel.custom import JSComponent
from panel.io.state import set_curdoc

from mfexplore.app import bundle, pages
from mfexplore.app.line import lines
from mfexplore.app.page import BrowserPage
from mfexplore.app.pages import ANYWHERE, Host
from mfexplore.app.prompt import send_promptly
from mfexplore.core.controls import Control
from mfexplore.core.declaration import sentence_case
from mfexplore.core.errors import MfexploreError
from mfexplore.core.model import Model
from mfexplore.core.seeds import Seed
from mfexplore.study.measured import read
from mfexplore.workbench.desk import Desk
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.face import FULL, Face, link_names

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger(__name__)


class WorkbenchView(JSComponent):
    """What stands in the browser: static, but for the messages between its script and `page`."""

    sheet = param.String(doc="The page, as HTML.")
    constants = param.Dict(default={}, doc="What its script needs to know of the system.")

    _esm = bundle.script()
    _stylesheets = [bundle.style()]

    def __init__(
        self, start: Exploration, notices: list[str], host: Host, ready: Callable[[], bool],
        born: Callable[[Desk], None], sweep: xr.Dataset | None = None, face: Face = FULL, **params: Any,
    ) -> None:  # fmt: skip
        self.page = BrowserPage(
            start, notices, self._hand_over, serves=host.serves, ready=ready, born=born, sweep=sweep, face=face
        )
        self._line = lines.open_for(self.page) if host.serves else ""
        sheet, constants = pages.component(type(start.model), host)  # type: ignore[arg-type]
        super().__init__(
            sheet=sheet, constants=constants | _of_the_page(type(start.model), host, face) | {"line": self._line},
            sizing_mode="stretch_width", margin=0, **params,
        )  # fmt: skip
        self._document = pn.state.curdoc

    def _hand_over(self, message: dict[str, Any]) -> None:
        # Panel sends at once what is sent for the document that is being worked on, and in a later turn what is not.
        with set_curdoc(self._document) if self._document is not None else nullcontext():
            self._send_msg(message)

    def _handle_msg(self, data: Any) -> None:
        if self.page.loop is None:
            try:
                self.page.loop = asyncio.get_running_loop()
            except RuntimeError:  # Bokeh 3.10 hears messages in threads that have none, and runs coroutines in its own
                document: Any = pn.state.curdoc or self._document
                document.add_next_tick_callback(partial(self._handle_in_the_loop, data))
                return
        self.page.hear(data)

    async def _handle_in_the_loop(self, data: Any) -> None:
        self._handle_msg(data)

    def _cleanup(self, root: Any = None) -> None:
        super()._cleanup(root)
        if not self._models:
            self.close()

    def close(self) -> None:
        """Nobody looks any longer."""
        lines.close(self._line)
        self.page.close()


def _of_the_page(kind: type[Model], host: Host, face: Face) -> dict[str, Any]:
    """What the script needs to know of this page: what its address says before the exploration, and how it looks."""
    words = face.to_query(kind)
    link = host.link + (f"{words}&" if words else "")
    return {"link": link, "ui": face.ui, "theme": face.theme, "words": link_names(kind)}


class Workbench(pn.viewable.Viewer):
    """The workbench of a model.

    Attributes:
        controls: the controls and the seed as parameters, to be linked, watched or turned into widgets: whoever sets
            one moves the workbench, and they follow what is done on it.
        model: the present model.
    """

    model = param.Parameter(constant=True, doc="The model that is shown.")
    controls = param.Parameter(constant=True, doc="Its controls as parameters.")

    def __init__(
        self, model: Model | Exploration, seed: Seed = 0, *, notices: list[str] | None = None, host: Host = ANYWHERE,
        ready: Callable[[], bool] = lambda: True, view: dict[str, Any] | None = None, measured: Any = None,
        face: Face = FULL, **params: Any,
    ) -> None:  # fmt: skip
        """view: x, y, colour, branch, method and along, as in `Exploration`. measured: a sweep that is laid over the
        diagram, as in `Model.explore`. face: what is held, hidden and asked, as in `workbench.face`.

        What remains is for servers: notices are told to the person at first, ready says whether the kernels are there.
        """
        start = model if isinstance(model, Exploration) else Exploration.of(model, seed=seed, **(view or {}))
        if start is not model and not view:
            start = start.as_opened()
        controls = _parameters(type(start.model))(  # type: ignore[arg-type]
            **start.model.values(), seed=start.seed
        )
        super().__init__(model=start.model, controls=controls, **params)
        self._desk: Desk | None = None
        self._follows = False
        self._begins: Callable[[], None] = lambda: None
        sweep = None if measured is None else read(measured, type(start.model))
        self._view = WorkbenchView(start, notices or [], host, ready, self._take_desk, sweep, face)
        controls.param.watch(self._moved, [*start.model.values(), "seed"])

    def __panel__(self) -> WorkbenchView:
        return self._view

    def close(self) -> None:
        """Stop everything that runs for it."""
        self._view.close()

    def tell_lives(self, begins: Callable[[], None], ends: Callable[[], None]) -> None:
        """begins, ends: called when somebody looks at it first, and when it is closed after that."""
        self._begins, self._view.page.ended = begins, ends

    def _take_desk(self, desk: Desk) -> None:
        self._desk = desk
        self._begins()
        if not self._view.constants["own"]:
            desk.session.listen(lambda old, new: self._follow(new))
        elif self._view.page.line is None:
            send_promptly()
        at = self._wanted(desk.session.current)
        if at is not None:
            desk.session.go(at)

    def _follow(self, at: Exploration) -> None:
        """Somebody moved the workbench."""
        self._follows = True
        try:
            with param.edit_constant(self):
                self.model = at.model
            self.controls.param.update(**at.model.values(), seed=at.seed)
        finally:
            self._follows = False

    def _moved(self, *events: Any) -> None:
        """Somebody set a parameter."""
        if not self._follows and self._desk is not None:
            self._view.page.post(self._go)

    def _go(self) -> None:
        assert self._desk is not None
        try:
            at = self._wanted(self._desk.session.current)
        except MfexploreError as error:  # a link of somebody's to values that do not go together
            log.warning("%s", error)
            return
        if at is not None:
            self._desk.move(at)

    def _wanted(self, at: Exploration) -> Exploration | None:
        """The exploration at the values of the parameters; None if that is where it is."""
        values = {name: getattr(self.controls, name) for name in at.model.values()}
        if values == at.model.values() and self.controls.seed == at.seed:
            return None
        return at.with_controls(**values).with_seed(self.controls.seed)


@cache
def _parameters(kind: type[Model]) -> type[param.Parameterized]:
    """The controls of a system as a class of parameters."""
    declared = {name: _parameter(one) for name, one in kind.controls().items()}
    declared["seed"] = param.Parameter(default=0, doc="The same seed gives the same run.")
    return param.parameterized_class(f"{kind.__name__}Controls", declared)


def _parameter(declared: Control) -> Any:
    label = sentence_case(declared.title)
    if declared.is_choice:
        return param.Selector(default=declared.default, objects=list(declared.options), label=label, doc=declared.doc)
    kind: Any = param.Integer if declared.is_integer else param.Number
    bounds = (declared.low, declared.high)
    return kind(default=declared.default, bounds=bounds, step=declared.step, label=label, doc=declared.doc)
