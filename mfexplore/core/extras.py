"""What only some need is installed on demand: where it is missing, the error says the command that brings it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mfexplore.core.errors import NotInstalledError


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """What is imported inside belongs to this extra of the package. Raises NotInstalledError if it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "mfexplore":
            raise
        raise NotInstalledError(error.name, extra) from error
