"""Predict, then reveal: the verdict on a guess, in the same words for every page."""

from __future__ import annotations

from dataclasses import dataclass

from mfexplore.core.declaration import Task
from mfexplore.core.model import Model
from mfexplore.workbench.sentence import number


@dataclass(frozen=True)
class Verdict:
    right: bool
    text: str


def judge(task: Task, kind: type[Model], guess: float) -> Verdict:
    """Compute the answer of a task, which may take a moment, and compare a guess with it."""
    truth = float(task.answer(kind(**task.controls)))
    right = abs(guess - truth) <= task.tolerance
    return Verdict(right, f"{'Right' if right else 'Not quite'}: the answer is {number(truth)} (you said {guess:g}).")
