"""The command `mfexplore`, as a person types it."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import xarray as xr
from typer.testing import CliRunner, Result

from mfexplore.cli import app, console, machine
from mfexplore.core.catalogue import places, system, systems
from mfexplore.core.model import Model
from mfexplore.core.simulation import Simulation
from mfexplore.numerics.kernel import settings
from mfexplore.study import ensemble
from mfexplore.study.ensemble import measure_sample
from mfexplore.study.warmup import tiny


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal so wide that nothing is broken into lines."""
    monkeypatch.setattr(console.out, "width", 200)
    monkeypatch.setenv("COLUMNS", "200")


def call(*arguments: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == expect, result.output + repr(result.exception)
    return result


# -- list --------------------------------------------------------------------------------------------------------------


def test_list_names_every_system() -> None:
    output = call("list").output
    assert all(key in output for key in places())
    records = json.loads(call("list", "--json").output)
    assert {r["key"] for r in records} == set(places())


def test_list_can_be_narrowed_to_a_wing() -> None:
    records = json.loads(call("list", "--json", "--wing", "lattices").output)
    assert {r["key"] for r in records} == {s.key for s in systems() if s.wing == "lattices"}


def test_names_are_complete_in_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.out, "width", 80)
    output = call("list").output
    assert all(key in output for key in places())
    assert "absolute_magnetization" in call("simulate", "curie_weiss", "--time", "5").output


def test_list_shows_what_can_be_tuned() -> None:
    output = call("list", "curie_weiss").output
    assert "a number from 0 to 2 J/k_B" in output
    assert "hysteresis" in output
    assert json.loads(call("list", "curie_weiss", "--json").output)["temperature"]["default"] == 0.7


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["diagram", "simulate"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["curie_weis"], ["curie_weis", "Did you mean 'curie_weiss'"]),
        (["curie_weiss", "temperature=-1"], ["temperature", "-1", "a number from 0 to 2"]),
        (["curie_weiss", "temperature=nan"], ["temperature", "nan", "a number from 0 to 2"]),
        (["curie_weiss", "temperature=hot"], ["temperature", "hot", "a number from 0 to 2"]),
        (["curie_weiss", "size=10.5"], ["size", "10.5", "a whole number from 2"]),
        (["curie_weiss", "start=sideways"], ["start", "sideways", "up | down | random"]),
        (["curie_weiss", "tempratur=1"], ["tempratur", "Did you mean 'temperature'"]),
        (["curie_weiss", "temperature"], ["NAME=VALUE"]),
        (["curie_weiss", "--preset", "ordred"], ["ordred", "Did you mean 'ordered'"]),
        (["curie_weiss", "-o", "result.xls"], [".xls", ".nc", ".csv", ".png"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_not_possible_is_said_without_a_traceback(command: str, arguments: list[str], words: list[str]) -> None:
    result = call(command, *arguments, expect=2)
    assert all(word in result.output for word in words), result.output
    assert "Traceback" not in result.output


def test_a_wing_that_is_not_there() -> None:
    assert "Did you mean 'glasses'" in call("list", "--wing", "glass", expect=2).output


@pytest.mark.parametrize(("x", "words"), [("temperature", "against itself"), ("size", "no axis 'size'")])
def test_a_plane_that_cannot_be(x: str, words: str) -> None:
    assert words in call("diagram", "curie_weiss", "--x", x, "--y", "temperature", expect=2).output


def test_a_file_that_cannot_be_written_is_noticed_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "taken.nc").mkdir()
    output = call("simulate", "curie_weiss", "-o", str(tmp_path / "taken.nc"), expect=1).output
    assert "taken.nc" in output
    assert "after" not in output
    call("simulate", "curie_weiss", "size=10.5", "-o", str(tmp_path / "new.nc"), expect=2)
    assert not (tmp_path / "new.nc").exists()


def test_a_missing_folder_is_noticed_before_the_work(tmp_path: Path) -> None:
    result = call("simulate", "curie_weiss", "-o", str(tmp_path / "missing" / "trace.nc"), expect=1)
    assert "no such folder" in result.output


def test_a_size_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfexplore.core.model.usable_memory", lambda: 1000)
    assert "bytes" in call("simulate", "curie_weiss", expect=2).output


WITHOUT_EXTRAS = (
    "import sys\n"
    "sys.modules.update(dict.fromkeys(['bokeh', 'dask', 'distributed', 'holoviews', 'ipywidgets', 'panel', 'zarr']))\n"
)


def without_extras(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_EXTRAS + code]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.parametrize(
    "arguments", [("diagram", "--resolution", "9"), ("simulate", "--time", "5")], ids=lambda a: a[0]
)
def test_every_file_can_be_written_without_any_extra(arguments: tuple[str, ...], tmp_path: Path) -> None:
    paths = [str(tmp_path / f"result.{ending}") for ending in ("nc", "csv", "png", "svg", "pdf")]
    command = [arguments[0], "curie_weiss", *arguments[1:], *(part for path in paths for part in ("-o", path))]
    done = without_extras(f"from mfexplore.cli import app\napp({command!r})")
    assert done.returncode == 0, done.stderr
    assert all(Path(path).stat().st_size > 0 for path in paths), sorted(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("code", "package", "extra"),
    [
        ("mf.serve()", "panel", "app"),
        ("mf.system('curie_weiss')().explore()", "ipywidgets", "notebook"),
        ("mf.sweep('curie_weiss', {'field': [0]}, samples=1, size=10, store='s.zarr', progress=False)", "zarr", "dask"),
    ],
)
def test_a_missing_extra_is_named(code: str, package: str, extra: str) -> None:
    done = without_extras(f"import mfexplore as mf\ntry: {code}\nexcept mf.MfexploreError as error: print(error)")
    assert package in done.stdout, done.stderr
    assert f'pip install "mfexplore[{extra}]"' in done.stdout


def test_a_command_names_a_missing_extra_too() -> None:
    command = without_extras("from mfexplore.cli import app\napp(['serve'])")
    assert command.returncode == 1
    assert command.stderr.startswith("mfexplore: This needs panel")


def test_an_error_in_a_fresh_process() -> None:
    command = [sys.executable, "-m", "mfexplore.cli", "simulate", "curie_weiss", "temperature=-1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith("mfexplore: Curie-Weiss ferromagnet: temperature = '-1' is not possible")
    assert "Traceback" not in done.stderr


# -- diagram -----------------------------------------------------------------------------------------------------------


def test_diagram_is_drawn_and_written(tmp_path: Path) -> None:
    nc, csv = tmp_path / "diagram.nc", tmp_path / "diagram.csv"
    arguments = [
        "coupling=1.5",
        "--x",
        "temperature",
        "--y",
        "field",
        "--resolution",
        "9",
        "-o",
        str(nc),
        "-o",
        str(csv),
    ]
    output = call("diagram", "curie_weiss", *arguments).output
    assert "bistable" in output
    assert f"wrote {nc}" in output
    with xr.open_dataset(nc) as dataset:
        assert dataset["magnetization"].dims == ("field", "temperature", "branch")
        assert dataset.sizes["field"] == dataset.sizes["temperature"] == 9
        assert json.loads(dataset.attrs["controls"])["coupling"] == 1.5
    assert csv.read_text().startswith("# system: curie_weiss")


SIGNATURES = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("ending", SIGNATURES)
@pytest.mark.parametrize("command", [("diagram", "--resolution", "9"), ("simulate", "--time", "5")], ids=lambda c: c[0])
def test_figures_are_written_with_their_provenance(command: tuple[str, ...], ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"figure.{ending}"
    call(command[0], "curie_weiss", "temperature=0.6", *command[1:], "-o", str(path))
    content = path.read_bytes()
    assert content.startswith(SIGNATURES[ending])
    assert b"curie_weiss" in content


@pytest.mark.parametrize("key", places())
def test_every_diagram_can_be_drawn_with_characters(key: str) -> None:
    if not system(key).planes:
        pytest.skip("no plane")
    assert "→" in call("diagram", key, "--resolution", "5").output


# -- simulate ----------------------------------------------------------------------------------------------------------


def test_a_run_on_a_metastable_branch_is_shown_beside_the_theory_of_that_branch() -> None:
    output = call("simulate", "curie_weiss", "temperature=0.5", "field=0.05", "start=down", "--time", "20").output
    assert "theory, up*" in output
    assert "theory, down" in output
    assert "* the branch in equilibrium" in output
    assert "theory, " not in call("simulate", "curie_weiss", "temperature=1.5", "--time", "20").output


def test_something_is_simulated_without_saying_how_long(tmp_path: Path) -> None:
    for key in places():
        run = tiny(system(key)()).simulate() if system(key).offers("simulation") else None
        assert run is None or run.usual_time >= run.step


def test_a_seed_is_read_as_it_is_written_or_refused_before_the_run(tmp_path: Path) -> None:
    refused = call("simulate", "curie_weiss", "--seed", "-1", expect=2).output
    assert "seed = '-1' is not possible; allowed: a whole number from 0 on" in " ".join(refused.split())
    for seed in (str(2**64), "SeedSequence(entropy=3, spawn_key=(1,), pool_size=4)"):
        call("simulate", "curie_weiss", "size=20", "--seed", seed, "--time", "2", "-o", str(tmp_path / "trace.nc"))
        with xr.open_dataset(tmp_path / "trace.nc") as trace:
            assert trace.attrs["seed"] == seed


def test_simulate_says_what_is_rounded(tmp_path: Path) -> None:
    said = call("simulate", "may_leonard", "size=300", "--time", "1", "-o", str(tmp_path / "trace.nc")).output
    assert "simulated with size 289 instead of 300" in said
    with xr.open_dataset(tmp_path / "trace.nc") as trace:
        assert json.loads(trace.attrs["controls"])["size"] == 289


def test_simulate_writes_its_trace_and_repeats_with_the_seed(tmp_path: Path) -> None:
    traces = []
    for seed, name in ((7, "a"), (7, "b"), (8, "c")):
        path = tmp_path / f"{name}.nc"
        arguments = ["temperature=0.9", "size=500", "--seed", str(seed), "--time", "20", "-o", str(path)]
        output = call("simulate", "curie_weiss", *arguments).output
        assert "after 20 sweeps" in output
        assert "theory" in output
        with xr.open_dataset(path) as trace:
            traces.append(trace.load())
    first, second, other = traces
    assert first.identical(second)
    assert float(first["time"][-1]) == 20
    assert first.attrs["seed"] == "7"
    assert not first["magnetization"].equals(other["magnetization"])


def test_as_long_as_was_asked_for_is_simulated(tmp_path: Path) -> None:
    last = []
    for time in (200, 250, 299):
        path = tmp_path / f"{time}.nc"
        arguments = ["size=256", "temperature=2.5", "--seed", "3", "--time", str(time), "-o", str(path)]
        assert f"after {time} sweeps" in call("simulate", "ising_lattice", *arguments).output
        with xr.open_dataset(path) as trace:
            assert trace["time"].values.tolist() == list(range(time + 1))
            last.append(trace.load())
    for shorter, longer in itertools.pairwise(last):
        assert longer.isel(time=slice(shorter.sizes["time"])).identical(shorter)


def test_time_that_makes_no_whole_step_is_said() -> None:
    output = call("simulate", "kuramoto", "size=100", "--time", "0.5").output
    assert "after 0.4 time units" in output
    assert "steps of 0.2 time units: simulated 0.4 of 0.5" in output


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Whoever starts tests in the background has them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_an_interrupted_run_is_written_says_so_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = system("curie_weiss").simulation
    assert kind is not None
    observe = kind.observe

    def observe_and_interrupt(run: Simulation) -> dict[str, float]:
        if run.time == 7:
            signal.raise_signal(signal.SIGINT)
        return observe(run)

    monkeypatch.setattr(kind, "observe", observe_and_interrupt)
    table, data = tmp_path / "trace.csv", tmp_path / "trace.nc"
    arguments = ["size=100", "--time", "300", "-o", str(table), "-o", str(data)]
    assert "stopped at 7 sweeps" in call("simulate", "curie_weiss", *arguments, expect=console.INTERRUPTED).output
    assert "# partial: interrupted at 7 of 300 sweeps" in table.read_text()
    with xr.open_dataset(data) as trace:
        assert trace.attrs["partial"] == "interrupted at 7 of 300 sweeps"
        assert trace["time"].values.tolist() == list(range(8))


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_an_interrupted_average_is_of_the_samples_there_are_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def three(model: Model, samples: int, seed: int) -> Iterator[dict[str, float]]:
        for k in range(interrupted_after):
            yield measure_sample(model, seed, k)
        signal.raise_signal(signal.SIGINT)

    whole = ensemble.ensemble(system("curie_weiss")(size=50), samples=3, seed=2)
    monkeypatch.setattr(ensemble, "measured", three)
    path = tmp_path / "mean.nc"
    arguments = ["size=50", "--samples", "8", "--seed", "2", "-o", str(path)]
    interrupted_after = 0
    assert "nothing is written" in call("simulate", "curie_weiss", *arguments, expect=console.INTERRUPTED).output
    assert not path.exists()
    interrupted_after = 3
    assert "after 3 of 8" in call("simulate", "curie_weiss", *arguments, expect=console.INTERRUPTED).output
    with xr.open_dataset(path) as found:
        assert found.attrs["partial"] == "interrupted after 3 of 8 samples"
        assert found["magnetization"].values == whole["magnetization"].values


def test_simulate_averages_over_samples(tmp_path: Path) -> None:
    path = tmp_path / "ensemble.csv"
    output = call("simulate", "curie_weiss", "size=200", "--samples", "4", "-o", str(path)).output
    assert "mean and standard error of 4 samples" in output
    assert "±" in output
    assert "exact" in output
    assert "magnetization_standard_error" in path.read_text()


# -- notebook, serve ---------------------------------------------------------------------------------------------------


def test_notebook_is_valid_and_opens_on_the_point(tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    call("notebook", "curie_weiss", "temperature=0.6", "--seed", "5", "--no-open", "-o", str(path))
    written = nbformat.read(path, as_version=4)
    nbformat.validate(written)
    code = [cell.source for cell in written.cells if cell.cell_type == "code"]
    assert 'mf.system("curie_weiss")(temperature=0.6)' in code[0]
    assert "explore(" in code[1]


def test_a_notebook_is_not_overwritten_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    call("notebook", "curie_weiss", "--no-open")
    assert "exists" in call("notebook", "curie_weiss", "--no-open", expect=1).output


def test_serve_passes_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}
    monkeypatch.setattr("mfexplore.serve", lambda **options: given.update(options))
    call("serve", "curie_weiss", "--port", "0", "--no-browser", "--origin", "*", "--prefix", "/user/app")
    assert given == {
        "key": "curie_weiss", "port": 0, "address": "localhost", "show": False, "warm": True, "origins": ("*",),
        "prefix": "/user/app", "people": 200, "num_procs": 1,
    }  # fmt: skip


# -- doctor ------------------------------------------------------------------------------------------------------------


def test_doctor_finds_this_machine_in_order() -> None:
    output = call("doctor").output
    for what in (
        "Python",
        "mfexplore",
        "needed packages",
        "extra app",
        "kernel cache",
        "kernels",
        "machine",
        "browser",
    ):
        assert what in output
    assert f"of {len(places())} systems are warm" in output


def test_doctor_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(package: str) -> str:
        if package in ("scipy", "panel"):
            raise machine.PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(machine, "version", absent)
    monkeypatch.setattr("mfexplore.study.warmup.is_warm", lambda key: False)
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    monkeypatch.setattr(settings, "DISABLE_JIT", 1)
    output = call("doctor", expect=1).output
    for remedy in (
        'pip install "mfexplore"', 'pip install "mfexplore[app]"', "mfexplore warmup", "apt-get install chromium",
        "unset NUMBA_DISABLE_JIT",
    ):  # fmt: skip
        assert remedy in output
    monkeypatch.setattr(machine, "cache_folder", lambda: None)
    output = call("doctor", expect=1).output
    assert "Set NUMBA_CACHE_DIR" in output
    assert "mfexplore warmup" not in output, "what cannot be kept cannot be warmed"


# -- warmup ------------------------------------------------------------------------------------------------------------


def test_warmup_compiles_in_processes_of_its_own() -> None:
    output = call("warmup", "curie_weiss", "--again", "--jobs", "1").output
    assert "1 of 1 systems are warm" in output


def test_warmup_refuses_an_unknown_system() -> None:
    assert "Did you mean 'curie_weiss'" in call("warmup", "curie_weis", expect=2).output


def test_warmup_goes_on_after_a_failure_and_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "compile_in_processes", lambda keys, jobs: {keys[0]: "ValueError: broken"})
    output = call("warmup", "curie_weiss", "--again", expect=1).output
    assert "curie_weiss: ValueError: broken" in output
    assert "0 of 1 systems are warm" in output
