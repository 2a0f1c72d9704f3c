"""What a source file is made of: the files of the package that it imports, and the part of them that is compiled.

Answers without importing anything. Reading a file costs 20 ms and is done once per version of the file: what is known
is kept between runs.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from mfexplore.core.folders import PACKAGE, cache_folder, kept_folders, write_whole

FLOOR = PACKAGE / "core"  # holds no physics and no kernel: what everything imports is not followed


def modules(node: ast.AST, file: Path) -> Iterator[str]:
    """Dotted names that an import statement may mean; with `from a import b`, b may be a module of its own."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            package = file.relative_to(PACKAGE.parent).parts[: -node.level]
            base = ".".join([*package, *base.split(".")]).rstrip(".")
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def file_of(module: str) -> Path | None:
    """The file of a module of this package; None for anything else."""
    parts = module.split(".")
    if parts[0] != PACKAGE.name:
        return None
    place = PACKAGE.joinpath(*parts[1:])
    return next((f for f in (place.with_suffix(".py"), place / "__init__.py") if f.is_file()), None)


def without_words(tree: ast.Module) -> ast.Module:
    """The tree without its docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def compiled_part(tree: ast.Module) -> str:
    """Decorated functions and what is assigned beside them, without comments, docstrings and line numbers."""
    kept = [
        node
        for node in without_words(tree).body
        if (isinstance(node, ast.FunctionDef) and node.decorator_list)
        or isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.If)
        or (isinstance(node, ast.ClassDef) and any("NamedTuple" in ast.dump(base) for base in node.bases))
    ]
    return "\n".join(ast.dump(node) for node in kept)


def read(file: Path) -> dict[str, Any]:
    """What is known of one version of a file."""
    content = file.read_bytes()
    tree = ast.parse(content)
    names = {name for node in ast.walk(tree) for name in modules(node, file)}
    found = {f for f in map(file_of, names) if f is not None and FLOOR not in f.parents}
    return {
        "imports": sorted(f.relative_to(PACKAGE).as_posix() for f in found - {file}),
        "bytes": hashlib.sha256(content).hexdigest(),
        "compiled": hashlib.sha256(compiled_part(tree).encode()).hexdigest(),
    }


FACTS = {"version", "imports", "bytes", "compiled"}


@cache
def _kept() -> Path | None:
    """The file in which this copy of the package keeps what is known of its sources."""
    place = hashlib.sha256(str(PACKAGE).encode()).hexdigest()[:12]
    found = [folder / f"sources-{place}.json" for folder in kept_folders()]
    return next((file for file in found if file.is_file()), found[0] if found else None)


class Sources:
    """What is known of the files of the package."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self._news = False
        file = _kept()
        with suppress(OSError, ValueError):
            if file is not None:
                known = json.loads(file.read_bytes())
                self.known = known if isinstance(known, dict) else {}

    def of(self, file: Path) -> dict[str, Any]:
        """What is known of a file as it is now."""
        stat = file.stat()
        version = [stat.st_mtime_ns, stat.st_size, stat.st_ino]
        name = file.relative_to(PACKAGE).as_posix()
        found = self.known.get(name)
        if not (isinstance(found, dict) and found.keys() >= FACTS and found["version"] == version):
            found = self.known[name] = {"version": version, **read(file)}
            self._news = True
        return found

    def imported(self, file: Path) -> frozenset[Path]:
        """The file itself and every file of the package above `core` that it imports, directly or not."""
        found: set[Path] = set()
        ahead = [file]
        while ahead:
            here = ahead.pop()
            if here not in found:
                found.add(here)
                ahead += [f for f in (PACKAGE / name for name in self.of(here)["imports"]) if f.is_file()]
        self._keep()
        return frozenset(found)

    def stamp(self, files: Iterable[Path], what: str = "bytes") -> str:
        """Changes when one of the files does. what: "bytes", or "compiled" for nothing but kernels and constants."""
        text = "\n".join(sorted(f"{f.relative_to(PACKAGE).as_posix()} {self.of(f)[what]}" for f in files))
        self._keep()
        return hashlib.sha256(text.encode()).hexdigest()

    def _keep(self) -> None:
        """Write down what was read, where that is possible."""
        folder, file = cache_folder(), _kept()
        if self._news and folder is not None and file is not None:
            write_whole(folder / file.name, json.dumps(self.known).encode())
        self._news = False


@cache
def sources() -> Sources:
    """What is known of the sources, once per process; it looks anew whether a file has changed, each time."""
    return Sources()
