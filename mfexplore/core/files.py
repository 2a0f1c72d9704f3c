"""Files are written beside their place and moved there once they are complete, so a failure keeps what was there."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yields a new path in the same folder to write to; it takes the place of `path` if the block ends without error.

    The mode of an old file is kept, and a link goes on pointing where it did. What is no plain file (a pipe, a device)
    is written directly. Raises OSError.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        yield target
        return
    beside = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
    try:
        yield beside
        if target.exists():
            shutil.copymode(target, beside)
        with beside.open("rb+") as complete:
            os.fsync(complete.fileno())  # or a crash of the machine might keep the new name and lose what is in it
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def write(path: Path | str, content: str | bytes) -> None:
    """The content, text as UTF-8, becomes the file; or the old file stays. Raises OSError."""
    with replacing(path) as place:
        if isinstance(content, str):
            place.write_text(content, encoding="utf-8")
        else:
            place.write_bytes(content)
