"""Standard streams that never fail a command: what they can't show is replaced, and nobody need be listening."""

from __future__ import annotations

import codecs
import errno
import io
import os
import signal
import sys
import unicodedata
from typing import Any

GONE = {errno.EPIPE, errno.EIO, errno.EBADF}  # a closed pipe, a lost terminal, a closed stream
if os.name == "nt":
    GONE.add(errno.EINVAL)  # how Windows says that a pipe is closed

# What stands for a character on a console without it; for the others, the letter without its accent or "?".
ASCII = str.maketrans({
    "→": ">", "↑": "^", "│": "|", "─": "-", "└": "+", "·": ".", "…": "..", "±": "+-", "×": "x", "–": "-", "—": "-",
    "’": "'", "“": '"', "”": '"', "░": ".", "▒": ":", "▓": "%", "█": "@", "▁": "_", "▂": ".", "▃": "-", "▄": "=",
    "▅": "+", "▆": "*", "▇": "#", "ø": "o", "ß": "ss",
})  # fmt: skip


def look_alike(error: UnicodeError) -> tuple[str, int]:
    """An error handler for `str.encode`: the nearest ASCII characters."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    plain = unicodedata.normalize("NFKD", error.object[error.start : error.end].translate(ASCII))
    letters = (c for c in plain if not unicodedata.combining(c))
    return "".join(c if c.isascii() else "?" for c in letters), error.end


class Listened(io.RawIOBase):
    """A raw stream that swallows what is written to it from the moment on when it can't be written any more."""

    def __init__(self, raw: Any) -> None:
        self._raw: Any = raw
        self._gone = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        return not self._gone and bool(self._raw.isatty())

    def write(self, data: Any) -> int:
        if not self._gone:
            try:
                return int(self._raw.write(data) or 0)
            except OSError as error:
                self._gone = True
                if error.errno not in GONE:
                    raise  # a full disk is said, once; what is still in buffers would raise again at the exit
        return len(data)


def _patient(stream: Any) -> Any:
    """The text stream, such that writing to it does not fail; one to nowhere for one that is closed."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 (as long as the process)
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # under PYTHONUNBUFFERED there is nothing between
    if not isinstance(raw, io.RawIOBase):
        return stream  # somebody put something of their own there
    at_once = stream.line_buffering or buffer is raw
    return io.TextIOWrapper(
        io.BufferedWriter(Listened(raw)), stream.encoding, errors="mfexplore", line_buffering=at_once
    )


def prepare() -> None:
    """Make the standard streams of this process fit for a command, and let what tells it to end be as Ctrl-C."""
    for descriptor in range(3):  # else the first file that is opened would become the standard output
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    codecs.register_error("mfexplore", look_alike)
    sys.stdout, sys.stderr = _patient(sys.stdout), _patient(sys.stderr)
    for name in ("SIGTERM", "SIGHUP"):
        told = getattr(signal, name, None)
        if told is not None and signal.getsignal(told) is signal.SIG_DFL:  # `nohup` has it ignored
            signal.signal(told, signal.default_int_handler)
