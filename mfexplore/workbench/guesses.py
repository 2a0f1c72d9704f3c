"""What a class predicts: guesses without names, kept in the memory of a server for those who have made theirs."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

MOST_TASKS, MOST_GUESSES = 500, 500  # the oldest task is forgotten, and a class is no larger
WORD = re.compile(r"[A-Za-z0-9-]{1,40}")  # what a class may be called in a link

Tell = Callable[[list["Guess"]], None]


class Asked(NamedTuple):
    """A task that a class has: the word of the class, the key of the system, the place of the task."""

    group: str
    system: str
    task: int


class Guess(NamedTuple):
    value: float
    right: bool


class Guesses:
    """Of all classes of a process. All pages of a server have one thread, and only that may use it."""

    def __init__(self) -> None:
        self._made: OrderedDict[Asked, dict[str, Guess]] = OrderedDict()
        self._watching: dict[Asked, list[Tell]] = {}

    def make(self, asked: Asked, who: str, guess: Guess) -> None:
        """Somebody guesses. who: any word that this browser always says; its first guess is the one that counts."""
        made = self._made.setdefault(asked, {})
        if len(made) < MOST_GUESSES:
            made.setdefault(who, guess)
        self._made.move_to_end(asked)
        while len(self._made) > MOST_TASKS:
            self._made.popitem(last=False)
        for tell in tuple(self._watching.get(asked, ())):
            tell(self.of(asked))

    def of(self, asked: Asked) -> list[Guess]:
        return list(self._made.get(asked, {}).values())

    def watch(self, asked: Asked, tell: Tell) -> Callable[[], None]:
        """tell: called now and with every new guess, until what is returned is called."""
        watching = self._watching.setdefault(asked, [])
        watching.append(tell)
        tell(self.of(asked))

        def leave() -> None:
            if tell in watching:
                watching.remove(tell)
            if not watching:
                self._watching.pop(asked, None)

        return leave


guesses = Guesses()


def in_words(made: list[Guess]) -> str:
    """How a class has guessed, in a sentence."""
    if not made:
        return "Nobody of the class has guessed yet."
    right = sum(guess.right for guess in made)
    low, middle, high = np.quantile([guess.value for guess in made], (0.25, 0.5, 0.75))
    one = len(made) == 1
    spread = f", in the middle {middle:.3g}, half of them from {low:.3g} to {high:.3g}" if len(made) > 3 else ""
    return f"The class has made {len(made)} guess{'' if one else 'es'}, {right} of them right{spread}."
