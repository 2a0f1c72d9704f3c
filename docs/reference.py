"""The reference: every public name, as it describes itself."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Any

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


def write(folder: Path) -> None:
    """One page for each module, and their index."""
    names = "\n".join(module.replace(".", "_") for module in MODULES)
    (folder / "index.md").write_text(f"# Reference\n\n```{{toctree}}\n{names}\n```\n", encoding="utf-8")
    for module, title in MODULES.items():
        (folder / f"{module.replace('.', '_')}.md").write_text(_page(module, title), encoding="utf-8")


def _page(module: str, title: str) -> str:
    loaded = import_module(module)
    parts = [f"# {title}", "", f"`{module}`", "", _prose(loaded)]
    for name in public(loaded):
        thing = getattr(loaded, name)
        if not getattr(thing, "__module__", module).startswith("mfexplore"):
            parts += [f"## {name}", "", f"`{thing}`", ""]  # another name of something from elsewhere
            continue
        parts += [f"## {name}", "", _signature(name, thing), _prose(thing)]
        if inspect.isclass(thing):
            for method, made in sorted(vars(thing).items()):
                made = getattr(made, "__func__", getattr(made, "fget", made))
                if not method.startswith("_") and inspect.isfunction(made) and made.__doc__:
                    parts += [f"### {name}.{method}", "", _signature(method, made), _prose(made)]
    return "\n".join(parts)


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
    plain = [one.replace(annotation=_Word(one.annotation)) for one in found.parameters.values()]
    told = str(found.replace(parameters=plain, return_annotation=_Word(found.return_annotation)))
    told = re.sub(r"<function (\w+) at 0x[0-9a-f]+>", r"\1", told)
    return f"```python\n{name}{told}\n```\n"


class _Word:
    """An annotation as it is written, without quotes; of nothing: nothing."""

    def __new__(cls, said: Any) -> Any:
        return super().__new__(cls) if isinstance(said, str) else said

    def __init__(self, said: str) -> None:
        self.said = said

    def __repr__(self) -> str:
        return self.said


def _prose(thing: Any) -> str:
    """A docstring as Markdown: sections such as "Args:" become lists."""
    text = inspect.getdoc(thing) or ""
    if isinstance(thing, type) and text.startswith(f"{thing.__name__}("):
        return ""  # made by dataclass: the signature says it
    lines = []
    for line in text.splitlines():
        entry = re.match(r"    (\*{0,2}\w[\w, *]*):\s+(.*)", line)
        section = re.fullmatch(r"(Args|Attributes|Returns|Raises|Yields):", line)
        if section:
            lines += [f"**{section[1]}**", ""]
        elif entry:
            lines.append(f"- `{entry[1]}`: {entry[2]}")
        elif line.startswith(">>>"):
            lines.append(f"    {line}")
        else:
            lines.append(line.strip() if line.startswith("     ") else line.removeprefix("    "))
    return "\n".join(lines) + "\n"
