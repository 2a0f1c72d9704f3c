"""One file for `panel serve`: the workbench of the system that the address names, or a choice of all systems.

    panel serve mfexplore/app/serve_me.py --num-procs 2 --allow-websocket-origin '*'

and then, say, http://localhost:5006/serve_me?system=hopfield&temperature=0.2. All options of `panel serve` hold.
"""

from __future__ import annotations

import html
import logging
from urllib.parse import urlencode

import panel as pn

from mfexplore.app.component import Workbench
from mfexplore.app.pages import Host
from mfexplore.core.catalogue import places, systems
from mfexplore.core.errors import MfexploreError
from mfexplore.workbench.face import opened

log = logging.getLogger(__name__)


def choice(problem: str = "") -> pn.viewable.Viewable:
    """All systems as links."""
    rows = "".join(
        f'<li><a href="?system={kind.key}">{html.escape(kind.title)}</a>: {html.escape(kind.summary)}</li>'
        for kind in sorted(systems(), key=lambda kind: kind.title)
    )
    return pn.pane.HTML(f"<h1>mfexplore</h1><p>{html.escape(problem)}</p><ul>{rows}</ul>", margin=24)


def page() -> pn.viewable.Viewable | Workbench:
    query = {name: values[-1].decode(errors="replace") for name, values in pn.state.session_args.items()}
    key = query.pop("system", "")
    if key not in places():
        return choice(f"There is no system {key!r}." if key else "")
    try:
        start, face, notices = opened(key, urlencode(query))
    except MfexploreError as error:
        return choice(str(error))
    return Workbench(start, notices=notices, host=Host(own=True, link=f"system={key}&"), face=face)


pn.panel(page()).servable(title="mfexplore")
