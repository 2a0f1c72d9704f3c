"""The reference: every public name, as it describes itself."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

from system_page import raw

from mfexplore.figures.prose import to_html

MODULES = {
    "mfexplore": "What one needs first",
    "mfexplore.core": "Declaring a system",
    "mfexplore.study.diagram": "Diagrams",
    "mfexplore.study.ensemble": "Averages over disorder",
    "mfexplore.study.hysteresis": "Hysteresis",
    "mfexplore.study.sweep": "Sweeps",
    "mfexplore.notebook": "In a notebook",
    "mfexplore.app": "In Panel",
}


LONG = 40  # characters of a default
SCRIPTS = ("mfexplore.app.serve_me", "mfexplore.cli.__main__")  # which run when they are imported
PACKAGES = {
    "core": "What everything rests on",
    "numerics": "Building blocks that know no physics",
    "families": "What several systems share",
    "study": "Computations on systems",
    "figures": "Figures",
    "guide": "Glossary, lessons, paths, map",
    "workbench": "The workbench, whatever it is drawn with",
    "notebook": "The workbench in a notebook",
    "app": "The app",
    "cli": "The command",
}


def write(folder: Path) -> None:
    """First what most people want, a page for each module; then all the rest, a page for each package; and an index."""
    told: set[int] = set()  # what has an entry already
    for module, title in MODULES.items():
        here: set[int] = set()  # what these offer under two roofs has two entries
        page = [f"# {title}", "", *_entries(import_module(module), "##", here)]
        told |= here
        (folder / f"{_file(module)}.md").write_text("\n".join(page), encoding="utf-8")
    for package, title in PACKAGES.items():
        page = [f"# {title}", "", f"All of `mfexplore.{package}` that has no entry elsewhere.", ""]
        for module in modules(package):
            loaded = import_module(module)
            if any(id(getattr(loaded, name)) not in told for name in public(loaded)):
                page += [f"## {module.removeprefix('mfexplore.')}", "", *_entries(loaded, "###", told)]
        (folder / f"all_{package}.md").write_text("\n".join(page), encoding="utf-8")
    lists = {"Begin here": map(_file, MODULES), "Everything else": (f"all_{package}" for package in PACKAGES)}
    trees = "".join(
        f"```{{toctree}}\n:caption: {caption}\n:maxdepth: 1\n{chr(10).join(names)}\n```\n\n"
        for caption, names in lists.items()
    )
    (folder / "index.md").write_text(
        "# Reference\n\nEvery public name. Systems are told of on [their own pages](../systems/index.md).\n\n" + trees,
        encoding="utf-8",
    )


def modules(package: str) -> list[str]:
    """A package and what is in it."""
    name = f"mfexplore.{package}"
    inside = [found.name for found in walk_packages(import_module(name).__path__, f"{name}.")]
    return [name, *(one for one in inside if one not in SCRIPTS)]


def _file(module: str) -> str:
    return module.replace(".", "_")


def _entries(module: ModuleType, level: str, told: set[int]) -> list[str]:
    """A module: what it says of itself, and an entry for each of its public names that has none yet."""
    parts = [f"`{module.__name__}`", "", _prose(module)]
    for name in public(module):
        thing = getattr(module, name)
        if id(thing) in told:
            continue
        told.add(id(thing))
        if not getattr(thing, "__module__", module.__name__).startswith("mfexplore"):
            parts += [f"{level} {name}", "", f"`{thing}`", ""]  # another name of something from elsewhere
            continue
        parts += [f"{level} {name}", "", _signature(name, thing), _prose(thing)]
        if inspect.isclass(thing):
            for method, made in sorted(vars(thing).items()):
                made = getattr(made, "__func__", getattr(made, "fget", made))
                if not method.startswith("_") and inspect.isfunction(made) and made.__doc__:
                    parts += [f"{level}# {name}.{method}", "", _signature(method, made), _prose(made)]
    return parts


def public(module: Any) -> list[str]:
    """Names that a module offers: its `__all__`, else what is defined in it and has no underscore."""
    own = [
        name for name, thing in vars(module).items()
        if not name.startswith("_") and callable(thing) and getattr(thing, "__module__", "") == module.__name__
    ]  # fmt: skip
    return list(getattr(module, "__all__", own))


def _signature(name: str, thing: Any) -> str:
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    plain = [
        one.replace(annotation=_Word(one.annotation), default=_usual(one.default)) for one in found.parameters.values()
    ]
    told = str(found.replace(parameters=plain, return_annotation=_Word(found.return_annotation)))
    return f"```python\n{name}{told}\n```\n"


def _usual(default: Any) -> Any:
    """A default as one would write it; three points for a long one."""
    if default is inspect.Parameter.empty or isinstance(default, (bool, int, float, str)):
        return default
    name = getattr(default, "__name__", repr(default))
    return _Word(name if len(name) < LONG and "<lambda>" not in name else "...")


class _Word:
    """An annotation as it is written, without quotes; of nothing: nothing."""

    def __new__(cls, said: Any) -> Any:
        return super().__new__(cls) if isinstance(said, str) else said

    def __init__(self, said: str) -> None:
        self.said = said

    def __repr__(self) -> str:
        return self.said


def _prose(thing: Any) -> str:
    """A docstring as HTML: sections such as "Args:" become lists."""
    text = inspect.getdoc(thing) or ""
    if isinstance(thing, type) and text.startswith(f"{thing.__name__}("):
        return ""  # made by dataclass: the signature says it
    lines, section = [], False
    for line in text.splitlines():
        entry = re.match(r"    (\*{0,2}\w[\w, *]*):\s+(.*)", line) if section else None
        heading = re.fullmatch(r"(Args|Attributes|Returns|Raises|Yields):", line)
        section = bool(heading) or (section and not re.match(r"\S", line))
        if heading:
            lines += [f"**{heading[1]}**", ""]
        elif entry:
            lines.append(f"- `{entry[1]}`: {entry[2]}")
        elif line.startswith(">>>") or (line and lines and lines[-1].startswith("    >>>")):  # a line and its answer
            lines.append(f"    {line}")
        else:
            lines.append(f"  {line.strip()}" if section else line)
    return raw(to_html("\n".join(lines)))
