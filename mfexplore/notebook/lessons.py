"""Tasks of a lesson: predict, then reveal; compute, then check."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import ipywidgets as widgets
import numpy as np

from mfexplore.core.declaration import Task
from mfexplore.core.errors import UnknownNameError
from mfexplore.core.model import Model
from mfexplore.figures.prose import one_line
from mfexplore.notebook import course
from mfexplore.notebook.dress import styles
from mfexplore.workbench.sentence import judgement, number

PATIENCE = 3  # different wrong answers before the solution is offered


def number_in(text: str) -> float | None:
    """What somebody typed, if it is a number; a comma may stand for the point."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def the_number(answer: object) -> float | None:
    """The one number that is meant: typed, computed, or alone in a list or an array. None if it is none, or several."""
    if isinstance(answer, str):
        return number_in(answer)
    try:
        values = np.ravel(np.asarray(answer, dtype=complex))
    except (TypeError, ValueError):
        return None
    if values.size != 1 or not np.isclose(values[0].imag, 0) or not math.isfinite(values[0].real):
        return None
    return float(values[0].real)


class TaskCard:
    """A task with a box for the guess. The answer comes only after a guess, and the first guess is kept.

    Attributes:
        guess: the first guess, None before it. widget: what to display.
    """

    def __init__(
        self, task: Task, reveal: Callable[[float], None], start: Callable[[], None] | None = None, title: str = ""
    ) -> None:
        """reveal: asked for the answer to a guess; it has to call `tell`. start: sets the controls of the task."""
        self.guess: float | None = None
        self._task, self._reveal = task, reveal
        asked = task.asked.replace("_", " ")
        self.box = widgets.Text(placeholder=asked, continuous_update=False)
        self.button = widgets.Button(description="Reveal", button_style="primary")
        self.said = widgets.HTML()
        self.said.add_class("mfexplore-answer")
        self.button.on_click(lambda button: self._asked())
        row = [widgets.HTML(f"<span>my prediction of the {html.escape(asked)}</span>"), self.box, self.button]
        if start is not None:
            begin = widgets.Button(description="Set the controls")
            begin.on_click(lambda button: start())
            row.insert(0, begin)
        heading = f"<h4>{html.escape(title)}</h4>" if title else ""
        line = widgets.HBox(row)
        line.add_class("mfexplore-row")
        self.widget = widgets.VBox([widgets.HTML(f"{heading}<p>{one_line(task.prompt)}</p>"), line, self.said])
        self.widget.add_class("mfexplore-task")

    def _asked(self) -> None:
        guess = number_in(self.box.value)
        if guess is None:
            self.said.value = "<p>Predict first: a number, please.</p>"
            return
        if self.guess is None:
            self.guess = guess
        self._reveal(guess)

    def tell(self, right: bool, text: str) -> None:
        """Show the verdict in words."""
        first = "" if self.guess is None else f"<small>Your first prediction was {self.guess:g}.</small>"
        kind = "right" if right else "wrong"
        self.said.value = f'<p class="mfexplore-{kind}">{one_line(text)} {one_line(self._task.lesson)}</p>{first}'


def predict(kind: type[Model] | Model, task: int = 0) -> Any:
    """A task of a system as a widget: `predict(mf.system("hopfield"))`. `task` counts from 0.

    Raises IndexError if the system has no such task.
    """
    chosen = kind.tasks[task]
    system = kind if isinstance(kind, type) else type(kind)

    def reveal(guess: float) -> None:
        judged = chosen.judge(guess, system)
        card.tell(judged.right, judgement(judged))

    card = TaskCard(chosen, reveal)
    root = widgets.VBox([widgets.HTML(styles()), card.widget])
    root.add_class("mfexplore")
    root.card = card
    return root


@dataclass(frozen=True)
class Exercise:
    """A number to be found by whoever works through a lesson.

    truth: derives it, and is asked only when there is an answer. tolerance: absolute, for an answer to count as right.
    hint: offered with a wrong answer. solution: the way to it in a few sentences; offered with a right answer, and
        after `PATIENCE` different wrong ones.
    """

    truth: Callable[[], float]
    tolerance: float
    hint: str
    solution: str


class Verdict:
    """What `check` found; true if the answer was right. hint, solution: what it offers, if anything."""

    def __init__(self, right: bool | None, text: str, hint: str = "", solution: str = "") -> None:
        self.right, self.text, self.hint, self.solution = right, text, hint, solution

    def __bool__(self) -> bool:
        return bool(self.right)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        kind = {True: "right", False: "wrong", None: "open"}[self.right]
        folded = "".join(
            f"<details><summary>{title}</summary><p>{one_line(text)}</p></details>"
            for title, text in (("Hint", self.hint), ("Solution", self.solution))
            if text
        )
        return f'{styles()}<div class="mfexplore"><p class="mfexplore-{kind}">{one_line(self.text)}</p>{folded}</div>'


def check(exercise: str | Exercise, answer: object) -> Verdict:
    """Compare an answer with what is right.

    Args:
        exercise: its name, "lesson.exercise", or an exercise of your own.
        answer: the student's, a number in whatever holds one; None while there is none.

    Raises UnknownNameError for an exercise that the course does not have.
    """
    name, chosen = ("", exercise) if isinstance(exercise, Exercise) else (exercise, _of_the_course(exercise))
    if answer is None:
        return Verdict(None, "No answer yet: replace `None` and run the cell again.")
    value = the_number(answer)
    if value is None:
        return Verdict(None, "One finite number is asked for. (In Python a decimal comma is a point: 2.5.)")
    truth = float(chosen.truth())
    if abs(value - truth) <= chosen.tolerance:
        told = f"Right: {value:.4g} is within {chosen.tolerance:g} of {number(truth)}."
        return Verdict(True, told, solution=chosen.solution)
    tried = _wrong.setdefault(name or chosen, set())
    tried.add(value)
    told = f"Not yet: {value:.4g} is more than {chosen.tolerance:g} away from the answer."
    return Verdict(False, told, chosen.hint, chosen.solution if len(tried) >= PATIENCE else "")


def _of_the_course(name: str) -> Exercise:
    lesson, _, exercise = name.partition(".")
    lessons = [module.name for module in iter_modules(course.__path__)]
    if lesson not in lessons:
        raise UnknownNameError("lesson", lesson, lessons)
    exercises: dict[str, Exercise] = import_module(f"{course.__name__}.{lesson}").EXERCISES
    if exercise not in exercises:
        raise UnknownNameError("exercise", exercise, list(exercises))
    return exercises[exercise]


_wrong: dict[str | Exercise, set[float]] = {}  # different answers so far
