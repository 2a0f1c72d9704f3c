"""The status sentence says what is there, and says so when nothing is known."""

from __future__ import annotations

from mfexplore.core.catalogue import system
from mfexplore.workbench.sentence import number, sentence


def test_it_tells_phase_theory_and_simulation() -> None:
    model = system("curie_weiss")(temperature=0.5)
    said = sentence(model, model.theory(), "magnetization", measured=(0.957, 0.002, 8))
    assert said.headline == "Bistable"
    assert "0.958 in theory (up branch)" in said.text
    assert "0.957 ± 0.002 in 8 simulations of size 2,000" in said.text
    assert said.trusted


def test_it_says_when_a_branch_is_not_there() -> None:
    model = system("curie_weiss")(temperature=1.5)
    said = sentence(model, model.theory(), "magnetization", branch="down")
    assert "There is no down state here." in said.text


def test_without_the_branch_it_judges_the_state_that_is_there() -> None:
    """Beyond capacity there is no retrieval, and the glass that is there breaks replica symmetry."""
    model = system("hopfield")(temperature=0.0, load=0.16)
    said = sentence(model, model.theory(), "overlap", branch="retrieval")
    assert said.headline == "Spin glass"
    assert said.validity == "replica symmetry broken"
    assert not said.trusted


def test_it_says_where_the_simulation_is_if_not_where_theory_is() -> None:
    model = system("curie_weiss")(temperature=0.5)
    theory = model.theory()
    elsewhere = sentence(model, theory, "magnetization", measured=(-0.956, 0.002, 8))
    assert "The simulation is near the down state." in elsewhere.text
    halves = sentence(model, theory, "magnetization", measured=(-0.5, 0.3, 8))
    assert "near the" not in halves.text, "some samples up, some down: in no state"
    nowhere = sentence(model, theory, "magnetization", measured=(0.4, 0.01, 8))
    assert "differ by more than the error" in nowhere.text
    assert not nowhere.trusted
    noisy = sentence(model, theory, "magnetization", measured=(0.4, 0.2, 8))
    assert "differ" not in noisy.text


def test_numbers_have_the_digits_their_error_leaves() -> None:
    assert number(0.98317, 0.0042) == "0.983 ± 0.004"
    assert number(12.3456, 1.2) == "12.3 ± 1.2"
    assert number(0.957, 0.002) == "0.957 ± 0.002"
    assert number(float("inf")) == "∞"
    assert number(0.00001234) == "1.23e-05"
    assert number(1000.0) == "1,000"
    assert number(2.5e7) == "2.5e+07"
    assert number(1.0, 1e-12) == "1.000"  # all samples agree


def test_a_system_says_itself_why_its_simulation_differs() -> None:
    model = system("random_energy")(temperature=0.35, dynamics="metropolis")
    said = sentence(model, model.theory(), "participation", measured=(0.73, 0.06, 8))
    assert f"differ by more than the error: {model.caveat()}." in said.text
    assert "ages" in said.text
    assert said.validity == "simulation differs"


def test_it_counts_who_was_simulated() -> None:
    friends = system("spatial_network_sir").preset("real friends")
    said = sentence(friends, friends.theory(), "final_size", measured=(0.61, 0.08, 8))
    assert "in 8 simulations of 77 people." in said.text


def test_what_no_sample_could_measure_is_undefined() -> None:
    model = system("may_leonard").preset("too mobile")
    said = sentence(model, model.theory(), "wavelength", measured=(float("nan"), float("nan"), 8))
    assert "undefined in 8 simulations" in said.text
