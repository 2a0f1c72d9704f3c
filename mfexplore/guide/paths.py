"""Learning paths: ways through the atlas, read from one file."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("paths.toml")


@dataclass(frozen=True)
class Step:
    """A system (its key), perhaps at one of its presets, and what to do there."""

    system: str
    do: str
    preset: str = ""


@dataclass(frozen=True)
class LearningPath:
    """A way with a title, a sentence about it, and its steps in order."""

    title: str
    about: str
    steps: tuple[Step, ...]

    @property
    def slug(self) -> str:
        """Its name in an address."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@cache
def paths() -> tuple[LearningPath, ...]:
    """All paths in the order of the file; the first is for whoever comes for the first time."""
    read = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tuple(
        LearningPath(title, said["about"], tuple(Step(**step) for step in said["steps"]))
        for title, said in read.items()
    )
