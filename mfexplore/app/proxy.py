"""How jupyter-server-proxy finds the app: on Binder and JupyterHub it stands at `<base>/mfexplore`."""

from __future__ import annotations

from typing import Any


def proxied() -> dict[str, Any]:
    """What the entry point `jupyter_serverproxy_servers` asks for; {port} and {base_url} are filled in by the proxy."""
    return {
        "command": [
            "mfexplore", "serve", "--no-browser", "--no-warm", "--port", "{port}", "--prefix", "{base_url}mfexplore",
            "--origin", "*",
        ],
        "absolute_url": True,
        "timeout": 120,
        "launcher_entry": {"title": "mfexplore"},
    }  # fmt: skip
