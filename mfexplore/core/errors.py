"""Errors a person can act on: each names the thing, the value given and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def shown(value: object) -> str:
    """A value as it was given, on one line and not too long."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python writes no whole number of more than 4300 digits
        text = f"{type(value).__name__} of very many digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


class MfexploreError(Exception):
    """Base of every error raised on purpose by mfexplore."""


class ControlError(MfexploreError, ValueError):
    """A control was given a value outside its declaration (out of range, NaN, not a number, not an option)."""

    def __init__(self, system: str, control: str, value: object, allowed: str) -> None:
        self.system, self.control, self.value, self.allowed = system, control, value, allowed
        super().__init__(f"{system}: {control} = {shown(value)} is not possible; allowed: {allowed}.")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.system, self.control, self.value, self.allowed)


class ArgumentError(MfexploreError, ValueError):
    """An argument that is no control was given a value that is not possible."""

    def __init__(self, where: str, argument: str, value: object, allowed: str) -> None:
        self.where, self.argument, self.value, self.allowed = where, argument, value, allowed
        super().__init__(f"{where}: {argument} = {shown(value)} is not possible; allowed: {allowed}.")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.where, self.argument, self.value, self.allowed)


class CatalogueError(MfexploreError):
    """The files of the atlas contradict each other: a mistake of whoever added a system."""


class UnknownNameError(MfexploreError, LookupError):
    """A system, control, observable, branch, boundary or preset that does not exist was asked for."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        near = get_close_matches(str(name), self.known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"There is no {kind} {name!r}.{hint} Known: {', '.join(self.known) or 'none'}.")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.kind, self.name, self.known)


class AbsentError(MfexploreError, LookupError):
    """Something was asked for that exists only under other words of a choice."""

    def __init__(self, system: str, kind: str, name: str, choice: str, word: object, words: Iterable[str]) -> None:
        self.system, self.kind, self.name, self.choice, self.word = system, kind, name, choice, word
        self.words = tuple(words)
        allowed = " or ".join(repr(one) for one in self.words)
        super().__init__(f"{system}: the {kind} {name!r} exists only for {choice} = {allowed}; here it is {word!r}.")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.system, self.kind, self.name, self.choice, self.word, self.words)


class NotOfferedError(MfexploreError):
    """A system was asked for a capability that it does not have."""

    def __init__(self, system: str, capability: str) -> None:
        self.system, self.capability = system, capability
        super().__init__(f"{system} does not offer {capability}.")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.system, self.capability)


class NotInstalledError(MfexploreError, ImportError):
    """A package is missing that one part of mfexplore needs; says how to install it."""

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(
            f'This needs {package}, which is not installed. Install it with: pip install "mfexplore[{extra}]"'
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.package, self.extra)


class TooLargeError(MfexploreError, MemoryError):
    """A simulation would not fit into the memory of this machine; says how many bytes it wants."""

    def __init__(self, system: str, size: int, needed: int, available: int) -> None:
        self.system, self.size, self.needed, self.available = system, size, needed, available
        super().__init__(
            f"{system}: size = {size:,} needs {needed:,} bytes ({needed / 2**30:.1f} GiB), but only "
            f"{available:,} bytes ({available / 2**30:.1f} GiB) may be used on this machine. Choose a smaller size."
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.system, self.size, self.needed, self.available)
