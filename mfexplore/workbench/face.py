"""How much of a workbench a link shows, and what it holds fast: the words of an address beside the exploration.

    ?ui=full     everything; the same as without it
    ?ui=bare     diagram, picture of the run and controls, for a frame in a course page or in slides
    ?ui=teach    for a class, as a teacher has prepared it

    task=1                      the first task: its controls, as far as the link leaves them open, and its question
    veil=theory,simulation      hidden until somebody answers, or asks to see it
    lock=coupling,size          shown, but nothing moves them
    hide=start                  not even shown
    class=k3f9                  who has answered the task sees what others with this word have guessed
    theme=dark                  or light, whatever the system has

All of them go with every `ui`. Where a system has a control of that name, the control has it and the word is
"page_hide". A lock keeps hands away, not readers of addresses: whoever takes it out of the link is
without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from mfexplore.core.catalogue import system
from mfexplore.core.errors import MfexploreError
from mfexplore.core.model import Model
from mfexplore.workbench.exploration import WORDS as OF_THE_VIEW
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.guesses import WORD

UIS = ("full", "teach", "bare")
VEILS = ("theory", "simulation")
THEMES = ("light", "dark")
WORDS = ("ui", "task", "veil", "lock", "hide", "theme", "class")


class HeldError(MfexploreError):
    """Somebody tried to move a control that the link of the page holds fast."""

    def __init__(self, system: str, control: str) -> None:
        super().__init__(f"{system}: {control} is locked on this page; whoever made its link wants it to stay.")


@dataclass(frozen=True)
class Face:
    """What a link says of the page, not of the exploration.

    Attributes:
        ui: one of `UIS`. theme: "light", "dark", or empty for what the system has.
        task: the place of the task that is set; -1: none. veil: which of `VEILS` are hidden until revealed.
        lock, hide: controls that stay where they are, shown or not.
        group: the word of a class whose guesses are collected; empty: none are.
    """

    ui: str = "full"
    task: int = -1
    veil: tuple[str, ...] = ()
    lock: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    theme: str = ""
    group: str = ""

    @classmethod
    def read(cls, kind: type[Model], words: dict[str, str]) -> tuple[Self, list[str]]:
        """From the words of a link; and what in it could not be used, in sentences. Nothing raises."""
        notices: list[str] = []

        def one(name: str, known: tuple[str, ...], usual: str) -> str:
            text = words.get(name, "") or usual
            if text in known or text == usual:
                return text
            notices.append(f"A link has no {name}={text[:40]!r}: {_listed(known)} are known. It is as without it.")
            return usual

        def several(name: str, known: tuple[str, ...], said: Callable[[str], str]) -> tuple[str, ...]:
            wanted = [word.strip() for word in words.get(name, "").split(",") if word.strip()]
            notices.extend(said(word[:40]) for word in wanted if word not in known)
            return tuple(dict.fromkeys(word for word in wanted if word in known))

        def no_control(what: str) -> Callable[[str], str]:
            return lambda name: f"{kind.title} has no control {name!r} to {what}; that part of the link was left out."

        there = tuple(kind.controls())
        veil = several("veil", VEILS, lambda word: f"A link can hide {_listed(VEILS)}, but not {word!r}.")
        lock, hide = (several(what, there, no_control(what)) for what in ("lock", "hide"))
        task = -1
        if words.get("task"):
            places = {str(k + 1): k for k in range(len(kind.tasks))}
            task = places.get(words["task"], -1)
            if task < 0:
                has = f"it has {len(places)}, counted from 1" if places else "it has none"
                notices.append(f"{kind.title} has no task {words['task'][:40]!r}: {has}. None is set.")
        group = words.get("class", "")
        if group and not WORD.fullmatch(group):
            notices.append(f"A class is called by letters, digits and dashes, not {group[:40]!r}; it is left out.")
            group = ""
        return cls(one("ui", UIS, "full"), task, veil, lock, hide, one("theme", THEMES, ""), group), notices

    def to_query(self, kind: type[Model]) -> str:
        """The words of a link that says this; empty for what is usual."""
        pairs = {
            "ui": "" if self.ui == "full" else self.ui, "task": str(self.task + 1) if self.task >= 0 else "",
            "veil": ",".join(self.veil), "lock": ",".join(self.lock), "hide": ",".join(self.hide), "theme": self.theme,
            "class": self.group,
        }  # fmt: skip
        names = link_names(kind)
        return urlencode({names[name]: text for name, text in pairs.items() if text}, safe=",")

    @property
    def held(self) -> tuple[str, ...]:
        """The controls that nothing moves."""
        return tuple(dict.fromkeys((*self.lock, *self.hide)))


FULL = Face()


def link_names(kind: type[Model]) -> dict[str, str]:
    """What the words are called in links to a system."""
    return {name: f"page_{name}" if name in kind.controls() else name for name in WORDS}


def opened(key: str, query: str) -> tuple[Exploration, Face, list[str]]:
    """Where a link leads, how it looks there, and what in it could not be used, in words. Raises UnknownNameError for
    a system that does not exist, and nothing else.
    """
    kind: type[Model] = system(key)
    pairs = dict(parse_qsl(query.lstrip("?"), keep_blank_values=True))
    names = link_names(kind)
    face, notices = Face.read(kind, {name: pairs.pop(names[name]) for name in WORDS if names[name] in pairs})
    task = kind.tasks[face.task] if face.task >= 0 else None
    start, more = Exploration.from_query(key, urlencode({**(task.controls if task else {}), **pairs}))
    if not any(name.removeprefix("view_") in OF_THE_VIEW for name in pairs):
        start = start.at(start.model, task.view) if task else start.as_opened()
    return start, face, notices + more


def moves(kind: type[Model], at: Exploration, held: tuple[str, ...]) -> list[str]:
    """The presets that would move what is held."""
    fixed: dict[str, Any] = {name: getattr(at.model, name) for name in held}
    return [
        preset.name for preset in kind.presets
        if any(getattr(kind.preset(preset.name), name) != value for name, value in fixed.items())
    ]  # fmt: skip


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
