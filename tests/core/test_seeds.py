"""One rule for seeds, everywhere, and before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from mfexplore.core.seeds import SeedError, check_seed, read_seed, seed_text, stream, written_seed
from mfexplore.models.lattices.curie_weiss import CurieWeiss
from mfexplore.study.scaling import finite_size
from mfexplore.study.sweep import sweep
from mfexplore.workbench.exploration import Exploration

MODEL = CurieWeiss(size=20)
GOOD = [0, 7, 2**64, 10**60, np.int64(3), np.uint8(5), np.random.SeedSequence(4), np.random.SeedSequence([1, 2**70])]
BAD = [True, np.True_, 1.0, np.float64(2), -1, np.int64(-1), "3", None, [1, 2], np.nan]
DOORS: dict[str, Callable[[Any], Any]] = {
    "simulate": lambda seed: MODEL.simulate(seed=seed),
    "ensemble": lambda seed: MODEL.ensemble(samples=2, seed=seed),
    "sweep": lambda seed: sweep(MODEL, {"temperature": [1.0]}, samples=2, seed=seed, progress=False),
    "scaling": lambda seed: finite_size(MODEL, [20, 40], samples=2, updates=5, relaxation=1, seed=seed),
    "exploration": lambda seed: Exploration.of(MODEL, seed=seed),
}


@pytest.mark.parametrize("door", DOORS)
def test_every_door_has_the_same_rule(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in GOOD:
        DOORS[door](seed)
    monkeypatch.setattr(CurieWeiss.simulation, "prepare", lambda run: pytest.fail("it has begun"))
    for seed in BAD:
        with pytest.raises(SeedError, match=r"allowed: a whole number from 0 on, or a numpy\.random\.SeedSequence"):
            DOORS[door](seed)


@pytest.mark.parametrize("seed", GOOD, ids=str)
def test_a_seed_that_was_written_down_gives_the_same_run(seed: Any, tmp_path: Path) -> None:
    found = MODEL.ensemble(samples=2, seed=seed)
    found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "found.nc") as back:
        again = MODEL.ensemble(samples=2, seed=read_seed(str(back.attrs["seed"])))
    xr.testing.assert_identical(again, found)
    run = MODEL.simulate(seed=seed)
    assert MODEL.simulate(seed=read_seed(run.trace().attrs["seed"])).observe() == run.observe()
    assert Exploration.from_query("curie_weiss", Exploration.of(MODEL, seed=seed).to_query())[0].seed_text == seed_text(
        seed
    )


def test_a_stream_of_a_sequence_is_its_child() -> None:
    parent = np.random.SeedSequence(5, spawn_key=(2,), pool_size=8)
    for k, child in enumerate(parent.spawn(2)):
        assert (stream(parent, k).generate_state(4) == child.generate_state(4)).all()
    assert (stream(5, 3).generate_state(4) == np.random.SeedSequence(5, spawn_key=(3,)).generate_state(4)).all()


def test_what_is_no_seed_is_not_read() -> None:
    assert type(check_seed(np.int64(3))) is int
    assert read_seed(" 12 ") == 12
    assert written_seed(2**53 - 1) == 2**53 - 1
    assert written_seed(2**53) == str(2**53)
    for text in (
        "",
        "-1",
        "1.5",
        "two",
        "SeedSequence(4)",
        "SeedSequence(key=3)",
        "print(1)",
        "SeedSequence(entropy=x)",
        "SeedSequence(entropy=1, pool_size=1000000)",  # would mix for an hour, and links are from anybody
        f"SeedSequence(entropy=1, pool_size={10**30})",
        "SeedSequence(entropy=1, pool_size='a')",
        "9" * 5000,
        "-" * 90_000 + "1",
        f"SeedSequence(entropy={'-' * 3000}1)",
    ):
        with pytest.raises(SeedError):
            read_seed(text)
