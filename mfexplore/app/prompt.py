"""Messages leave at once.

Bokeh sends a message in several pieces, and TCP keeps all but the first until the browser has acknowledged it, which
browsers put off for 40 ms: a slider would feel it. Nothing of Bokeh or Tornado has an option for it, but the sockets of
this process are its own.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import psutil


def send_promptly() -> None:
    """Keep nothing back on the connections that are open now; on a system that tells which they are."""
    with suppress(psutil.Error):
        connections = psutil.Process().net_connections("tcp")
        served = {one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN}
        for one in connections:
            if one.status == psutil.CONN_ESTABLISHED and one.laddr.port in served and one.fd >= 0:
                with suppress(OSError), socket.socket(fileno=os.dup(one.fd)) as its:
                    its.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
