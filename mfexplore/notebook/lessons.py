"""Tasks of a lesson: predict, then reveal; compute, then check."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from mfexplore.core.declaration import Task
from mfexplore.core.model import Model
from mfexplore.figures.prose import one_line
from mfexplore.notebook.dress import styles
from mfexplore.workbench.sentence import judgement, number


def number_in(text: str) -> float | None:
    """What somebody typed, if it is a number; a comma may stand for the point."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


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


class Verdict:
    """What `check` found; true if the answer was right."""

    def __init__(self, right: bool | None, text: str) -> None:
        self.right, self.text = right, text

    def __bool__(self) -> bool:
        return bool(self.right)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        kind = {True: "right", False: "wrong", None: "open"}[self.right]
        return f'{styles()}<div class="mfexplore"><p class="mfexplore-{kind}">{one_line(self.text)}</p></div>'


def check(
    answer: float | None, expected: float | Callable[[], float], tolerance: float, hint: str = "", lesson: str = ""
) -> Verdict:
    """Compare an answer with what is right, up to an absolute tolerance.

    Args:
        answer: the student's; None while there is none.
        expected: the truth, or a function that computes it; it is asked only when there is an answer.
        hint: shown with a wrong answer. lesson: shown with a right one.
    """
    if answer is None:
        return Verdict(None, "No answer yet: replace `None` by your number and run the cell again.")
    value = float(answer)
    truth = float(expected() if callable(expected) else expected)
    if abs(value - truth) <= tolerance:
        return Verdict(True, f"Right: {value:.4g} is within {tolerance:g} of {number(truth)}. {lesson}".strip())
    return Verdict(False, f"Not yet: {value:.4g} is more than {tolerance:g} away from the answer. {hint}".strip())
