"""The status sentence says what is there, and says so when nothing is known."""

from __future__ import annotations

import numpy as np

from mfexplore.core.catalogue import system
from mfexplore.workbench.agreement import Sampled, beyond, divided
from mfexplore.workbench.sentence import number, sentence


def samples(*values: float) -> Sampled:
    return Sampled(float(np.mean(values)), float(np.std(values, ddof=1) / len(values) ** 0.5), len(values), values)


def test_it_tells_phase_theory_and_simulation() -> None:
    model = system("curie_weiss")(temperature=0.5)
    said = sentence(model, model.theory(), "magnetization", measured=Sampled(0.957, 0.002, 8))
    assert said.headline == "Bistable"
    assert "0.958 in theory (up branch)" in said.text
    assert "0.957 ± 0.002 in 8 simulations of size 2,000" in said.text
    assert said.verdict == "agrees"


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
    assert said.verdict == "differs"


def test_it_says_where_the_simulation_is_if_not_where_theory_is() -> None:
    model = system("curie_weiss")(temperature=0.5)
    theory = model.theory()
    elsewhere = sentence(model, theory, "magnetization", measured=Sampled(-0.956, 0.002, 8))
    assert "The simulation is near the down state." in elsewhere.text
    assert elsewhere.verdict == "open"
    halves = sentence(model, theory, "magnetization", measured=Sampled(-0.5, 0.3, 8))
    assert "near the" not in halves.text, "some samples up, some down: in no state"
    nowhere = sentence(model, theory, "magnetization", measured=Sampled(0.4, 0.01, 8))
    assert "differ by more than the error" in nowhere.text
    assert nowhere.verdict == "differs"
    noisy = sentence(model, theory, "magnetization", measured=Sampled(0.4, 0.2, 8))
    assert "differ" not in noisy.text
    assert noisy.verdict == "open", "an error that excuses everything is no agreement"


def test_samples_in_two_states_do_not_agree_with_either() -> None:
    """Half of the networks retrieve and half do not: within five standard errors of their mean, and nowhere near it."""
    model = system("hopfield")(temperature=0.45, load=0.068)
    halves = samples(0.91, 0.88, 0.9, 0.89, 0.03, 0.05, 0.02, 0.04)
    said = sentence(model, model.theory(), "overlap", "retrieval", measured=halves)
    assert "4 of 8 simulations are in this state, 4 are near the" in said.text
    assert (said.validity, said.verdict) == ("simulations divide", "open")
    lost = samples(0.91, 0.88, 0.9, 0.89, 0.45, 0.47, 0.46, 0.44)
    assert sentence(model, model.theory(), "overlap", "retrieval", measured=lost).verdict == "differs"
    one = samples(0.91, 0.88, 0.9, 0.89, 0.9, 0.88, 0.91, 0.02)
    assert "7 of 8" in sentence(model, model.theory(), "overlap", "retrieval", measured=one).text


def test_samples_of_one_state_are_rarely_taken_for_two() -> None:
    rng = np.random.default_rng(0)
    parted = [len(divided(rng.normal(0, 0.2, 8), 0.05)) > 1 for _ in range(2000)]
    assert np.mean(parted) < 0.03


def test_there_is_no_verdict_before_there_is_one() -> None:
    model = system("curie_weiss")(temperature=0.5)
    waiting = sentence(model, model.theory(), "magnetization", waits=True)
    assert (waiting.validity, waiting.verdict) == ("not compared yet", "open")
    alone = sentence(model, model.theory(), "entropy")  # which no simulation measures
    assert (alone.validity, alone.verdict) == ("theory alone", "open")


def test_an_exact_value_at_this_size_is_a_judge_too() -> None:
    model = system("curie_weiss")(temperature=1.0, size=20)
    exact = model.exact()["absolute_magnetization"]
    said = sentence(model, model.theory(), "absolute_magnetization", exact=exact)
    assert f"The exact value at this size is {exact:.3f}." in said.text
    assert said.verdict == "differs"
    at = model.replace(temperature=0.3)
    exact = at.exact()["absolute_magnetization"]
    assert sentence(at, at.theory(), "absolute_magnetization", exact=exact).verdict == "agrees"
    # Both states together have no magnetization; a run that starts in one of them has.
    up = sentence(at, at.theory(), "magnetization", measured=Sampled(0.997, 0.001, 8), exact=0.0)
    assert up.verdict == "agrees"


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
    said = sentence(model, model.theory(), "participation", measured=Sampled(0.73, 0.06, 8))
    assert f"differ by more than the error: {model.caveat()}." in said.text
    assert "ages" in said.text
    assert said.validity == "simulation differs"


def test_it_counts_who_was_simulated() -> None:
    friends = system("spatial_network_sir").preset("real friends")
    said = sentence(friends, friends.theory(), "final_size", measured=Sampled(0.61, 0.08, 8))
    assert "in 8 simulations of 77 people." in said.text


def test_what_no_sample_could_measure_is_undefined() -> None:
    model = system("may_leonard").preset("too mobile")
    said = sentence(model, model.theory(), "wavelength", measured=Sampled(float("nan"), float("nan"), 8))
    assert "undefined in 8 simulations" in said.text


def test_nothing_is_called_otherwise_where_nothing_changes() -> None:
    """In a field there is no transition at the critical temperature: the words are the same on both sides."""
    kind = system("curie_weiss")
    cold, warm = (kind(field=0.35, temperature=t) for t in (0.99, 1.01))
    assert sentence(cold, cold.theory(), "magnetization").headline == "One state"
    assert sentence(warm, warm.theory(), "magnetization").headline == "One state"


def test_a_bound_that_is_met_exactly_is_not_violated_by_rounding() -> None:
    resistance = system("long_range_percolation").observable("resistance")
    assert not beyond(resistance, 256.5, "lower", Sampled(256.5 - 1e-10, 0.0, 8))
    assert beyond(resistance, 256.5, "lower", Sampled(256.4, 0.0, 8))
