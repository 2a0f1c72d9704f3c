"""Relations between systems: said once, seen from both sides, and true where numbers can tell."""

from __future__ import annotations

import pytest

from mfexplore.core import Relation, UnknownNameError, Value, system
from mfexplore.core.declaration import RELATIONS
from mfexplore.core.related import related, relations


def test_what_one_says_stands_on_both_pages() -> None:
    for one, said, other in relations():
        assert (said.kind, other.key) in [(r.phrase, r.other.key) for r in related(one.key)]
        assert (RELATIONS[said.kind], one.key) in [(r.phrase, r.other.key) for r in related(other.key)]


def test_a_link_leads_to_the_point_that_is_meant() -> None:
    (link,) = [r.link for r in related("annihilation") if r.other.key == "random_advection"]
    assert link == "random_advection?rule=all&geometry=ring"
    (back,) = [r.link for r in related("random_advection") if r.other.key == "annihilation"]
    assert back.startswith("annihilation?reaction=coalescence")


def test_a_relation_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="resembles"):
        Relation("resembles", "hopfield", "Somehow.")


def test_a_system_without_relations_is_alone() -> None:
    assert related("there is none of this name") == []


def value(key: str, observable: str, **controls: object) -> float:
    return Value(observable).of(system(key)(**controls))


def both_ends(key: str, to: str) -> tuple[dict[str, object], dict[str, object]]:
    (said,) = [said for one, said, other in relations() if (one.key, other.key) == (key, to)]
    return dict(said.here), dict(said.there)


@pytest.mark.parametrize(
    ("key", "observable", "to", "other", "within"),
    [
        ("biased_decisions", "yes_fraction", "curie_weiss", "magnetization", 1e-6),
        ("boltzmann_machine", "overlap_visible", "sherrington_kirkpatrick", "magnetization", 1e-6),
        ("boltzmann_machine", "overlap_visible", "hopfield", "overlap", 1e-6),
        ("curie_weiss", "magnetization", "hopfield", "overlap", 1e-6),
    ],
)
def test_what_coincides_has_the_same_numbers(key: str, observable: str, to: str, other: str, within: float) -> None:
    here, there = both_ends(key, to)
    mine, theirs = value(key, observable, **here), value(to, other, **there)
    if observable == "yes_fraction":
        mine = 2 * mine - 1
    assert abs(mine) == pytest.approx(abs(theirs), abs=within)


def test_messages_of_a_ferromagnet_are_bethe_s_approximation() -> None:
    here, there = both_ends("bethe_propagation", "ising_lattice")
    bethe = Value("magnetization", method="bethe").of(system("ising_lattice")(**there))
    assert value("bethe_propagation", "magnetization", **here) == pytest.approx(abs(bethe), abs=1e-6)


def test_the_last_glass_freezes_where_glasses_of_ever_larger_groups_do() -> None:
    """T_s of the Ising p-spin glass approaches that of random energies, 0.6006, from above."""
    last = system("random_energy")().landmark("critical_temperature", "temperature")[0]
    gaps = [
        system("p_spin")(kind="ising", order=p).landmark("static_temperature", "temperature")[0] - last for p in (3, 6)
    ]
    assert 0 < gaps[1] < gaps[0] / 5


def test_an_empty_diagonal_leaves_the_levels_of_a_gaussian_matrix() -> None:
    here, there = both_ends("rosenzweig_porter", "beta_ensemble")
    levels = value("beta_ensemble", "gap_ratio", **there)
    assert value("rosenzweig_porter", "level_ratio", **here) == pytest.approx(levels, abs=0.01)
