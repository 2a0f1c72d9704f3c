"""What all races share: contenders run in turns, medians, checks before speeds, a table, JSON and a figure.

Absolute times change by a factor of two on a shared machine; ratios between contenders that take turns do not. So every
round runs each contender once, a ratio is the median of the rounds' ratios, and one thread is timed by its CPU time.

A race is run for the processor at hand (native) or for another kind: our kernels and the C references are compiled for
it. Peers are what they were built as, but NumPy and OpenBLAS, which choose their loops by the processor they find, are
told to choose as they would there.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numba
import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
RESULTS = HERE / "results"
OURS = "mfexplore"
BEGIN, END = "<!-- columns: written by the races -->", "<!-- end of columns -->"
PROCESSORS: dict[str, dict[str, str]] = {
    "native": {},
    "x86-64-v3": {
        "NUMBA_CPU_NAME": "x86-64-v3",
        "NUMBA_CPU_FEATURES": "",  # else those of the processor at hand
        "NPY_DISABLE_CPU_FEATURES": " ".join(
            name
            for name in np.show_config("dicts")["SIMD Extensions"]["found"]
            if name.startswith(("X86_V4", "AVX512"))
        ),
        "OPENBLAS_CORETYPE": "Haswell",
    },
}
PROCESSOR: str = numba.config.CPU_NAME or "native"  # type: ignore[attr-defined]
CLOCKS: dict[str, Callable[[], float]] = {"cpu": time.process_time, "wall": time.perf_counter}
Clock = Literal["cpu", "wall"]


def environment(processor: str) -> dict[str, str]:
    """The environment of a process that races for this kind of processor."""
    set_by_us = {name for settings in PROCESSORS.values() for name in settings}
    return {name: value for name, value in os.environ.items() if name not in set_by_us} | PROCESSORS[processor]


class Missing(str):
    """Why a contender cannot run here; it stands in the table in its place."""


@dataclass
class Timed:
    """What a contender returns that has timed itself, for example as the difference of a long and a short run."""

    work: float
    seconds: float


Contender = Callable[[], Any] | Missing


class DifferentResultError(Exception):
    """The sides of a race do not compute the same thing, so there is nothing to compare."""


@dataclass
class Entry:
    """One contender of one item: median work per second (or seconds), and ours over theirs with its target."""

    item: str
    contender: str
    unit: str
    rate: float | None
    ratio: float | None = None  # how many times as fast as this contender we are
    target: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.target is None or self.ratio is None else self.ratio >= self.target


@dataclass
class Limit:
    """A quantity of ours that should stay below (or reach) a number, or is only told."""

    item: str
    unit: str
    value: float
    target: float | None
    larger_is_better: bool = False

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.larger_is_better else self.value <= self.target


@dataclass
class Report:
    """What one race found."""

    name: str
    title: str
    checks: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)

    def check(self, what: str, same: bool | np.bool_) -> None:
        """State that the sides agree. Raises DifferentResultError if they do not."""
        if not same:
            raise DifferentResultError(f"{self.name}: {what}: not so")
        self.checks.append(what)

    def race(
        self,
        item: str,
        unit: str,
        work: float,
        contenders: Mapping[str, Contender],
        targets: Mapping[str, float] | None = None,
        *,
        rounds: int = 5,
        clock: Clock = "cpu",
        prepare: Callable[[], Any] = lambda: None,
    ) -> dict[str, float]:
        """Run the contenders in turns, `rounds` times; each does `work` units, or returns how many it did, or `Timed`.

        Returns the median rate by contender. The first contender is ours. `prepare` runs before each turn, untimed.
        """
        now = CLOCKS[clock]
        rates: dict[str, list[float]] = {name: [] for name, run in contenders.items() if not isinstance(run, Missing)}
        for _ in range(rounds):
            for name in rates:
                run = contenders[name]
                assert not isinstance(run, Missing)
                prepare()
                start = now()
                done = run()
                seconds = now() - start
                timed = done if isinstance(done, Timed) else Timed(work if done is None else float(done), seconds)
                rates[name].append(timed.work / max(timed.seconds, 1e-9))
        ours = next(iter(contenders))
        for name, run in contenders.items():
            target = (targets or {}).get(name)
            if isinstance(run, Missing):
                self.entries.append(Entry(item, name, unit, None, None, target, str(run)))
                continue
            ratio = None if name == ours else float(np.median(np.divide(rates[ours], rates[name])))
            self.entries.append(Entry(item, name, unit, float(np.median(rates[name])), ratio, target))
        return {name: float(np.median(values)) for name, values in rates.items()}

    def limit(
        self, item: str, unit: str, value: float, target: float | None, *, larger_is_better: bool = False
    ) -> None:
        self.limits.append(Limit(item, unit, float(value), target, larger_is_better))

    def missing(self, item: str, contender: str, reason: Missing) -> None:
        self.entries.append(Entry(item, contender, "", None, None, None, str(reason)))

    @property
    def failed(self) -> list[str]:
        entries = [f"{e.item} against {e.contender}" for e in self.entries if e.met is False]
        return entries + [limit.item for limit in self.limits if limit.met is False]

    def save(self) -> Path:
        """Write the JSON of this race."""
        path = RESULTS / PROCESSOR / f"{self.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {
            "race": self.name,
            "title": self.title,
            "machine": machine(),
            "checks": self.checks,
            "entries": [asdict(e) | {"met": e.met} for e in self.entries],
            "limits": [asdict(x) | {"met": x.met} for x in self.limits],
        }
        path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def machine() -> dict[str, Any]:
    """Where and with what this was measured."""
    names = ("numpy", "numba", "llvmlite", "scipy", "peapods", "dwave-samplers", "gillespy2", "dla-ideal-solver")
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    return {
        "processor": model,
        "compiled_for": PROCESSOR,
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
        "versions": {name: installed(name) for name in (OURS, *names)},
    }


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def peer(package: str, module: str | None = None) -> Any:
    """An installed peer's module, or `Missing` with the reason."""
    try:
        return importlib.import_module(module or package.replace("-", "_"))
    except ImportError:
        return Missing(f"{package} is not installed; pip install 'mfexplore[peers]'")


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="mfexplore-benchmarks-")


@cache
def c_library(name: str, *flags: str) -> Any:
    """benchmarks/c/<name>.c compiled for the same processor as our kernels, or `Missing` if there is no C compiler."""
    target = Path(_folder().name) / f"{''.join([name, *flags])}.so"
    command = ["cc", "-O3", f"-march={PROCESSOR}", *flags, "-shared", "-fPIC", "-o", str(target)]
    try:
        subprocess.run([*command, str(HERE / "c" / f"{name}.c"), "-lm"], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        return Missing("no C compiler (cc) here")
    return ctypes.CDLL(str(target))


def c_function(name: str, function: str, result: Any = None, *flags: str) -> Any:
    """A C function that takes arrays, ints (long) and floats (double) as they are; or `Missing`."""
    library = c_library(name, *flags)
    if isinstance(library, Missing):
        return library
    raw = getattr(library, function)
    raw.restype = result

    def call(*arguments: Any) -> Any:
        return raw(*(_as_c(a) for a in arguments))

    return call


def _as_c(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        assert value.flags.c_contiguous
        return value.ctypes.data_as(ctypes.c_void_p)
    return ctypes.c_double(value) if isinstance(value, float) else ctypes.c_long(int(value))


def available(function: Any, run: Callable[[], Any]) -> Contender:
    """`run`, or `function` itself where that says what is missing."""
    return function if isinstance(function, Missing) else run


def seeds(rng: np.random.Generator, *shape: int) -> NDArray[np.uint64]:
    """Random non-zero words for the generators of C references."""
    return rng.integers(1, 2**64, shape, dtype=np.uint64)


def table(reports: Sequence[Report]) -> Any:
    """All races as a table for the terminal."""
    from rich.table import Table

    made = Table("race", "against", "rate", "we are", "wanted", "", title="mfexplore against peers and C")
    for report in reports:
        made.add_section()
        for entry in report.entries:
            rate = f"{quantity(entry.rate)} {entry.unit}" if entry.rate is not None else "missing"
            ratio = f"{entry.ratio:,.3g} x" if entry.ratio is not None else entry.note
            wanted = f"{entry.target:g} x" if entry.target is not None else ""
            made.add_row(entry.item, entry.contender, rate, ratio, wanted, verdict(entry.met))
        for limit in report.limits:
            sign = "at least" if limit.larger_is_better else "at most"
            wanted = "" if limit.target is None else f"{sign} {quantity(limit.target)}"
            made.add_row(limit.item, "", f"{quantity(limit.value)} {limit.unit}", "", wanted, verdict(limit.met))
    return made


def verdict(met: bool | None) -> str:
    return "" if met is None else "[green]yes[/]" if met else "[red]no[/]"


def quantity(value: float) -> str:
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value:.3g}"


def ratios() -> dict[tuple[str, str], dict[str, Any]]:
    """Every saved entry with a ratio, by what is raced and against whom, then by processor."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for processor in PROCESSORS:
        for file in sorted((RESULTS / processor).glob("*.json")):
            for entry in json.loads(file.read_text(encoding="utf-8"))["entries"]:
                if entry["ratio"] is not None:
                    found.setdefault((entry["item"], entry["contender"]), {})[processor] = entry
    return found


def columns() -> str:
    """All saved ratios as a table in Markdown, a column for each processor; what misses its target is bold."""
    lines = [f"| race | against | wanted | {' | '.join(PROCESSORS)} |", "|---|---|---" + "|---" * len(PROCESSORS) + "|"]
    for (item, contender), entries in sorted(ratios().items()):
        target = list(entries.values())[-1]["target"]
        cells = [item, contender, "" if target is None else f"{target:g}"]
        for processor in PROCESSORS:
            entry = entries.get(processor)
            text = "" if entry is None else times(entry["ratio"])
            cells.append(f"**{text}**" if entry is not None and entry["met"] is False else text)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.3g}"


def write_columns() -> None:
    """Put the table into README.md, between its two marks."""
    readme = HERE / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    readme.write_text(f"{before}{BEGIN}\n{columns()}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def draw(path: Path) -> None:
    """Every saved race as bars, one for each processor: how many times as fast as each contender, and the target."""
    import matplotlib.pyplot as plt

    rows = sorted(ratios().items())
    if not rows:
        return
    figure, axes = plt.subplots(figsize=(9, 0.8 + 0.36 * len(rows)), layout="constrained")
    colours = {True: "#2a7f62", False: "#b2403b", None: "#8a8f98"}
    height = 0.8 / len(PROCESSORS)
    for place, (_, entries) in enumerate(reversed(rows)):
        for k, processor in enumerate(PROCESSORS):
            if processor not in entries:
                continue
            entry, y = entries[processor], place + 0.4 - (k + 0.5) * height
            axes.barh(y, entry["ratio"] - 1, left=1, color=colours[entry["met"]], height=0.9 * height,
                      alpha=1 - 0.4 * k)  # fmt: skip
            side = "left" if entry["ratio"] >= 1 else "right"
            axes.text(entry["ratio"], y, f" {times(entry['ratio'])}", va="center", ha=side, fontsize=6)
            if entry["target"] is not None:
                axes.plot([entry["target"]] * 2, [place - 0.42, place + 0.42], color="black", linewidth=1.4)
    names = [f"{item}, against {contender}" for (item, contender), _ in reversed(rows)]
    axes.set_yticks(range(len(rows)), names, fontsize=8)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.6)
    axes.set_xlabel(f"times as fast, for {' and (pale) '.join(PROCESSORS)} (black: target)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
