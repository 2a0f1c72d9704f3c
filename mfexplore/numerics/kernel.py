"""The one way a kernel is compiled here, and how compiled kernels are kept.

Numba's own cache keeps a kernel for as long as the bytes of the file it stands in are the same. Here that is too much
(a comma in the page of a system would compile all of it anew) and too little (the building blocks of a kernel stand in
other files, and a changed block must not be answered by an old kernel). So a kernel is kept under what it is made of:
its code, the constants and the blocks it uses, and theirs. Nothing in that depends on where the package lies.

The cache is an object of our own in the place where a dispatcher has Numba's. The hook that Numba offers,
NUMBA_CACHE_LOCATOR_CLASSES, chooses one folder and a stamp; it could not read from one folder and write into another,
and Numba's index would still trust whatever stands in a file that it names. Here a file is named after all that it
depends on and holds a checksum: there is no index that processes could mix up, and what is broken is compiled anew.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import llvmlite
import numba
import numpy as np
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature
from numba.core.types import BaseTuple
from numba.core.types import Callable as CallableType

from mfexplore.core.folders import PACKAGE, cache_folder, kept_folders, write_whole
from mfexplore.core.forks import ForkLock
from mfexplore.core.interrupts import Uninterrupted

Function = TypeVar("Function", bound=Callable[..., Any])
settings: Any = numba.config

# Reassociation and friends, so that loops vectorise, but NaN and infinity keep their meaning.
FASTMATH = {"nsz", "arcp", "contract", "afn", "reassoc"}
MONTH = 30 * 24 * 3600.0  # seconds
DAY = 24 * 3600.0
COMPILER = f"{sys.implementation.cache_tag} {numba.__version__} {llvmlite.__version__}"


# -- what a kernel is made of ------------------------------------------------------------------------------------------


class Ingredients:
    """Everything that the code compiled from a function depends on, as text. Each function is looked at once."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[FunctionType, str] = WeakKeyDictionary()
        self._open: list[FunctionType] = []  # functions that are being looked at, outermost first
        self._recursive = 0  # the outermost of them that the present one calls, counted from 0

    def of_function(self, function: FunctionType) -> str:
        """The fingerprint of a function with all that it uses."""
        known = self._known.get(function)
        if known is not None:
            return known
        if function in self._open:
            place = self._open.index(function)
            self._recursive = min(self._recursive, place)
            return f"calls {len(self._open) - place} back"
        place, before = len(self._open), self._recursive
        self._open.append(function)
        self._recursive = place
        try:
            parts = [f"function {function.__module__}.{function.__qualname__}"]
            parts += self._of_code(function.__code__, function.__globals__, function.__doc__)
            parts += self.of(function.__defaults__)
            parts += self.of(function.__kwdefaults__)
            for cell in function.__closure__ or ():
                parts += self.of(cell.cell_contents)
            found = hashlib.sha256("\n".join(parts).encode()).hexdigest()
            if self._recursive == place:  # else this is a part of something that is not known yet
                self._known[function] = found
        finally:
            self._open.pop()
            self._recursive = min(before, self._recursive)
        return found

    def of(self, value: Any) -> Iterator[str]:
        """What a constant, or a function that is called, adds."""
        if isinstance(value, Dispatcher):
            options = {k: sorted(v) if isinstance(v, set) else v for k, v in value.targetoptions.items()}
            yield f"options {sorted(options.items())}"
            yield self.of_function(value.py_func)
        elif isinstance(value, FunctionType):
            yield self.of_function(value)
        elif isinstance(value, tuple | list):
            yield f"{type(value).__name__} of {len(value)}"
            for part in value:
                yield from self.of(part)
        elif isinstance(value, set | frozenset):
            yield f"set {sorted(map(repr, value))}"
        elif isinstance(value, dict):
            yield from self.of(list(value.items()))
        elif isinstance(value, np.ndarray):
            yield f"array {value.dtype} {value.shape} {_table(value)}"
        elif isinstance(value, type):
            yield f"type {value.__module__}.{value.__qualname__} {getattr(value, '_fields', ())}"  # a named tuple's
        elif isinstance(value, ModuleType):
            yield f"module {value.__name__}"
        elif isinstance(definition := getattr(value, "_defn", None), FunctionType):  # an intrinsic
            yield self.of_function(definition)
        elif value is None or isinstance(value, bool | int | float | complex | str | bytes | np.generic):
            yield f"{type(value).__name__} {value!r}"
        else:  # a function of a library, for instance
            yield f"{type(value).__qualname__} {getattr(value, '__name__', '')}"

    def _of_code(self, code: CodeType, around: Mapping[str, Any], words: str | None) -> Iterator[str]:
        """Instructions, constants (not the docstring, `words`), and the globals that are named."""
        yield f"code {code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_argcount}"
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from self._of_code(constant, around, None)
            else:
                yield from self.of(None if constant is words else constant)
        for name in code.co_names:
            found = around.get(name)
            if isinstance(found, ModuleType) and found.__name__.split(".")[0] == PACKAGE.name:
                yield f"from {found.__name__}"
                for inside in code.co_names:
                    if inside in vars(found):
                        yield from self.of(vars(found)[inside])
            elif name in around:
                yield f"global {name}"
                yield from self.of(found)


def _table(values: Any) -> str:
    """The numbers of a table to eleven digits: a computed one (nodes of a quadrature, say) has other last digits on
    another processor, and is still the same table.
    """
    if values.dtype.kind not in "fc" or not values.size:
        return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
    finite = np.abs(values[np.isfinite(values)])
    scale = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    rounded = np.round(values / scale, 11) + 0.0
    return f"{scale:.10e} {hashlib.sha256(rounded.tobytes()).hexdigest()}"


_ingredients = Ingredients()
_looking = ForkLock()


def fingerprint(function: Any) -> str:
    """Changes when what is compiled from a kernel changes, and only then: also when a constant or a building block of
    it does, wherever that stands, but with no comment, no docstring, no line and no path.
    """
    with _looking:
        return hashlib.sha256("\n".join(_ingredients.of(function)).encode()).hexdigest()


# -- where it is kept --------------------------------------------------------------------------------------------------


def _described(kind: Any) -> str:
    """The type of an argument in words that are the same in every process."""
    parts: Any = kind
    if not isinstance(kind, BaseTuple):
        return str(kind)
    made = getattr(kind, "instance_class", tuple)  # of a named tuple
    fields = getattr(made, "_fields", ())
    return f"{made.__module__}.{made.__qualname__}{fields}({', '.join(_described(part) for part in parts)})"


def intact(file: Path) -> bytes | None:
    """What was kept in a file; None if it is missing, cut off, or not what was written under this name."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    checksum, kept = content[:32], content[32:]
    return kept if checksum == _checksum(file.name, kept) else None


def _checksum(name: str, kept: bytes) -> bytes:
    return hashlib.sha256(name.encode() + kept).digest()


class KeptKernel(NullCache):  # type: ignore[misc]
    """What a dispatcher asks before it compiles, and tells afterwards. `files`: names of the files it has used."""

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = dispatcher
        self._made_of = ""
        self.files: set[str] = set()

    @property
    def cache_path(self) -> str | None:
        folder = cache_folder()
        return None if folder is None else str(folder)

    def name(self, signature: Any, codegen: Any) -> str | None:
        """The file for one signature on one kind of processor; None if it can't be kept."""
        arguments, result = normalize_signature(signature)
        if any(isinstance(kind, CallableType) for kind in arguments):
            return None  # is named after its place in memory
        self._made_of = self._made_of or fingerprint(self._dispatcher)
        described = ", ".join(map(_described, arguments))
        text = f"{COMPILER} {codegen.magic_tuple()} {self._made_of} ({described}) -> {result}"
        return f"{self._dispatcher.py_func.__name__.strip('<>')}-{hashlib.sha256(text.encode()).hexdigest()[:24]}.nbc"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()  # what is loaded may need parts of Numba that nothing has used yet
        name = self.name(sig, target_context.codegen())
        if name is None:
            return None
        for folder in kept_folders():
            kept = intact(folder / name)
            if kept is None:
                continue
            with suppress(Exception):  # of another world: compile it anew and put that in its place
                loaded = CompileResult._rebuild(target_context, *pickle.loads(kept))
                self.files.add(name)
                _in_use(folder / name)
                return loaded
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        folder = cache_folder()
        name = self.name(sig, data.codegen)
        lifted = any(not loop.can_cache for loop in data.lifted)
        if folder is None or name is None or lifted or data.library.has_dynamic_globals:
            return
        kept = dumps(data._reduce())
        if write_whole(folder / name, _checksum(name, kept) + kept):
            self.files.add(name)


def _in_use(file: Path) -> None:
    """Remember that a kept kernel is wanted, once a day."""
    with suppress(OSError):
        if time.time() - file.stat().st_mtime > DAY:
            os.utime(file)


def forget_unused(seconds: float = MONTH) -> int:
    """Delete the kernels that nobody has used for so long (those of former sources, say), and return how many."""
    root = cache_folder()
    if root is None:
        return 0
    forgotten = 0
    for file in [*root.rglob("*.nbc"), *root.glob("warm-*"), *root.rglob("*.nbi")]:
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > seconds:
                file.unlink()
                forgotten += file.suffix == ".nbc"
    return forgotten


# -- the decorators ----------------------------------------------------------------------------------------------------


def kernel(function: Function) -> Function:
    """Compile with Numba: kept, nogil, single-threaded, NumPy error model (x/0 is inf), NaN-safe fastmath."""
    compiled: Any = numba.njit(nogil=True, error_model="numpy", fastmath=FASTMATH)(function)
    if not settings.DISABLE_JIT:
        compiled._cache = KeptKernel(compiled)
        compile_one = compiled.compile

        def compile_whole(signature: Any) -> Any:
            with Uninterrupted():  # left half done, LLVM ends the process
                return compile_one(signature)

        compiled.compile = compile_whole
    return compiled  # type: ignore[no-any-return]


def inline_kernel(function: Function) -> Function:
    """The same for a small building block, inlined into its callers so that their loops vectorise."""
    compiled: Any = numba.njit(inline="always", error_model="numpy", fastmath=FASTMATH)(function)
    return compiled  # type: ignore[no-any-return]
