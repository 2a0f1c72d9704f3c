"""Chemical Langevin equation: closed forms and quadratures by other ways, cells in three descriptions against them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import simpson

from mfexplore.models.reactions.chemical_langevin import ChemicalLangevin

ROWS = reference_values("chemical_langevin")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_verified_values(row: dict[str, Any]) -> None:
    given, tolerance = row["params"], 10.0 ** (1 - row["digits"])
    if "k_over_gamma" in given:
        theory = ChemicalLangevin(population=given["k_over_gamma"]).theory(method="langevin", profiles=False)
        names = ("mean", "variance", "skewness", "excess_kurtosis", "below_zero")
        found = [float(theory[name]) for name in names]
    elif row["id"] == "schlogl_barriers":
        theory = ChemicalLangevin(network="schloegl", feed=given["a3"], decay=given["a4"]).theory(profiles=False)
        found = [
            float(theory[name].sel({"method": method}))
            for name in ("barrier", "barrier_back") for method in ("master_equation", "langevin")
        ]  # fmt: skip
    else:
        model = ChemicalLangevin(network="schloegl", volume=given["Omega"], feed=given["a3"], decay=given["a4"])
        theory = model.theory(method="langevin", profiles=False)
        found = [float(theory[name]) for name in ("mean", "variance", "switching_time")]
    np.testing.assert_allclose(found, row["value"], rtol=tolerance)


def test_values_of_the_card_that_are_in_no_table() -> None:
    """Also where powers are replaced by counts, which the card only guesses: half becomes a twentieth."""
    assert float(ChemicalLangevin().theory(method="langevin", profiles=False)["below_zero"]) == pytest.approx(
        1.695e-8, rel=1e-3
    )
    model = ChemicalLangevin(network="schloegl", volume=80.0)
    theory = model.theory(method="langevin", profiles=False)
    found = [float(theory[name]) for name in ("mean", "variance", "switching_time")]
    np.testing.assert_allclose(found, [11.11580, 18.84200, 1196165], rtol=2e-6)
    ratios = [float(model.replace(rates=word).theory(method="langevin", profiles=False)["time_ratio"])
              for word in ("powers", "counts")]  # fmt: skip
    assert ratios[0] == pytest.approx(0.513, abs=0.002)
    assert ratios[1] == pytest.approx(0.945, abs=0.002)


@pytest.mark.parametrize("counts", [False, True])
def test_diffusion_by_nested_quadrature(counts: bool) -> None:
    """Moments and both passage times at volume 10, by SciPy's adaptive rule on the closed potential."""
    volume = 10.0
    model = ChemicalLangevin(network="schloegl", volume=volume, rates="counts" if counts else "powers")

    def rates(n: float) -> tuple[float, float]:
        pairs = max(n * (n - 1), 0.0) * (n > 1) if counts else n * n
        triples = max(n * (n - 1) * (n - 2), 0.0) * (n > 2) if counts else n**3
        return 3 * pairs / volume + 0.25 * volume, triples / volume**2 + 2.25 * n

    grid = np.unique(np.concatenate([np.linspace(0, 70, 14_001), [1.0, 2.0]]))
    b, d = np.array([rates(n) for n in grid]).T
    phi = np.concatenate([[0.0], np.cumsum([
        simpson([2 * (u - w) / (u + w) for u, w in map(rates, (x, (x + y) / 2, y))], x=[x, (x + y) / 2, y])
        for x, y in itertools.pairwise(grid)
    ])])  # fmt: skip
    mass = np.exp(phi) * 2 / (b + d)
    total = simpson(mass, x=grid)
    theory = model.theory(method="langevin", profiles=False)
    assert float(theory["mean"]) == pytest.approx(simpson(mass * grid, x=grid) / total, rel=3e-5 if counts else 1e-6)
    low, high = (volume * (1 + s * np.sqrt(0.75)) for s in (-1, 1))
    inner = np.concatenate([[0.0], np.cumsum((mass[1:] + mass[:-1]) / 2 * np.diff(grid))])
    inside = (grid >= low) & (grid <= high)
    for integral, name in ((inner, "switching_time"), (inner[-1] - inner, "return_time")):
        time = np.trapezoid((np.exp(-phi) * integral)[inside], grid[inside])
        assert float(theory[name]) == pytest.approx(time, rel=3e-3), name


def test_leaps_by_the_chain_itself() -> None:
    """Moments of counted leaps from the transition matrix of the leap: at 40 molecules nothing falls below 0."""
    k, tau = 40.0, 0.3
    n = np.arange(160)

    def poisson(mean: float) -> np.ndarray:
        p = np.zeros(len(n))
        p[0] = np.exp(-mean)
        for i in range(1, len(n)):
            p[i] = p[i - 1] * mean / i
        return p

    born = poisson(k * tau)
    law = np.full(len(n), 1 / len(n))
    step = np.zeros((len(n), len(n)))
    for first in n:
        left = np.zeros(len(n))
        dying = poisson(first * tau)
        np.add.at(left, np.maximum(first - n, 0), dying)
        step[:, first] = np.convolve(left, born)[: len(n)]
    for _ in range(60):
        law = step @ law
        law /= law.sum()
    mean = law @ n
    central = [float(law @ (n - mean) ** j) for j in (2, 3, 4)]
    theory = ChemicalLangevin(population=k, leap=tau).theory(method="tau_leap", profiles=False)
    assert float(theory["mean"]) == pytest.approx(mean, rel=1e-6)
    assert float(theory["variance"]) == pytest.approx(central[0], rel=1e-5)
    assert float(theory["skewness"]) == pytest.approx(central[1] / central[0] ** 1.5, rel=1e-4)
    assert float(theory["excess_kurtosis"]) == pytest.approx(central[2] / central[0] ** 2 - 3, abs=1e-4)


def test_the_gamma_law_is_the_stationary_density() -> None:
    model = ChemicalLangevin(population=3.0)
    law = next(law for law in model.replace(description="gaussian_leap").laws(0.0) if law.method == "langevin")
    x, p = law.values, law.density
    inside = x > -2.9
    flux = (3 - x) * p - np.gradient((3 + x) / 2 * p, x)
    assert np.abs(flux[inside][2:-2]).max() < 2e-3
    below = float(model.theory(method="langevin", profiles=False)["below_zero"])
    fine = np.linspace(x[0], 0, 4001)
    assert np.trapezoid(np.interp(fine, x, p), fine) == pytest.approx(below, rel=0.02)


def test_short_leaps_full_of_firings_are_right() -> None:
    """The error of Langevin leaps is as small as the conditions say, and falls with both."""
    model = ChemicalLangevin()
    errors = model.theory(
        method="gaussian_leap", population=np.array([20.0, 200.0]), leap=np.array([0.01, 0.1]), profiles=False
    )["law_error"].values
    assert errors[0, 0] > errors[1, 0]  # too few molecules for any leap
    assert errors[1, 0] < errors[1, 1]
    assert errors[1, 1] == pytest.approx(0.05 / 0.95, rel=1e-6)
    phases = model.theory(population=np.array([20.0, 200.0]), leap=np.array([0.01, 0.08]), profiles=False)["phase"]
    names = phases.attrs["flag_meanings"].split()[1:]
    assert [[names[int(v)] for v in row] for row in phases.values] == [
        ["counted_leaps", "counted_leaps"], ["counted_leaps", "langevin"],
    ]  # fmt: skip


def test_switching_times_grow_with_their_barriers() -> None:
    """Ratios of times at two volumes are exponentials of the barrier, of the master as of the Langevin equation."""
    theory = ChemicalLangevin(network="schloegl").theory(volume=np.array([100.0, 120.0]), profiles=False)
    for method in ("master_equation", "langevin"):
        times, barrier = (theory[name].sel({"method": method}).values for name in ("switching_time", "barrier"))
        assert np.log(times[1] / times[0]) / 20 == pytest.approx(barrier[0], rel=0.02)


@pytest.mark.parametrize("size", [500, 4000])
@pytest.mark.parametrize(
    ("description", "method"),
    [("exact", "master_equation"), ("tau_leap", "tau_leap"), ("gaussian_leap", "gaussian_leap")],
)
def test_cells_follow_their_own_description(description: str, method: str, size: int) -> None:
    model = ChemicalLangevin(population=30.0, leap=0.2, description=description, size=size)
    run = model.simulate(seed=1)
    run.advance(8)
    times, series = run.series()
    path, row = model.predicted_path({"mean": 0.0}, times), [m.name for m in model.methods].index(method)
    assert (np.abs(series["mean"] - path["mean"][row]) <= 4.5 * path["mean_deviation"][row] + 1e-9).all()
    v = float(model.theory(method=method, profiles=False)["variance"])
    assert series["variance"][-1] == pytest.approx(v, abs=4.5 * v * np.sqrt(2.2 / size))


def test_langevin_cells_leak_below_zero() -> None:
    model = ChemicalLangevin.preset("leak").replace(size=6000)
    run = model.simulate(seed=3)
    run.advance(5)
    p = float(model.theory(method="langevin", profiles=False)["below_zero"])
    assert run.observe()["below_zero"] == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 6000) + 0.002)


@pytest.mark.parametrize(
    ("controls", "method"),
    [({"volume": 10.0}, "master_equation"),
     ({"volume": 10.0, "description": "gaussian_leap", "leap": 0.005}, "langevin")],
)  # fmt: skip
def test_cells_switch_as_their_description_says(controls: dict[str, Any], method: str) -> None:
    model = ChemicalLangevin(network="schloegl", size=700, **controls)
    run = model.simulate(seed=5)
    run.advance(40)
    found, theory = run.observe(), model.theory(method=method, profiles=False)
    slack = 0.0 if method == "master_equation" else 0.08  # a leap may jump over the end of a passage
    for name, count in zip(("switching_time", "return_time"), run.switches, strict=True):
        expected = float(theory[name])
        assert found[name] == pytest.approx(expected, rel=4 / np.sqrt(count) + slack + 0.02), name
