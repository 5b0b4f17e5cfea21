"""Published logits: heating, train, modes, yogurt, electricity contracts and cars.

Sources: Croissant, "Estimation of random utility models in R: the mlogit package" (Journal of
Statistical Software 95, 2020) and its vignettes, for heating, train and modes; McFadden & Train
(2000), Journal of Applied Econometrics 15, 447-470, table 1, for cars; yogurt (Jain, Vilcassim &
Chintagunta 1994) and electricity contracts (Revelt & Train 1998) by other programs on the same
data.
"""

import choice_sets
import numpy as np
import pytest
from keycustomer.pricing import fit_logit, willingness_to_pay
from keycustomer.pricing.choice.mixed import respondent_panel
from keycustomer.pricing.choice.mixing import mixing_of
from keycustomer.pricing.choice.simulated_likelihood import simulated_scores
from scipy.special import ndtri

PRINTED = 0.51  # of the last digit printed
FOUR, FIVE, SEVEN = PRINTED * 1e-4, PRINTED * 1e-5, PRINTED * 1e-7

STOPPED_SHORT = 4e-7
"""Train: the printed estimates leave a slope of 0.007, ours of 1e-12, at the same likelihood."""


@pytest.mark.surveys
def test_heating_without_constants():
    found = fit_logit(choice_sets.heating(), constants=None, errors="classical")
    assert found.coefficients["installation"] == pytest.approx(-0.0062319, abs=SEVEN)
    assert found.coefficients["operating"] == pytest.approx(-0.0045801, abs=SEVEN)
    assert found.standard_errors["installation"] == pytest.approx(0.00035277, abs=1e-8)
    assert found.log_likelihood == pytest.approx(-1095.2371, abs=FOUR)
    # one more of yearly cost is worth so much of installation cost less
    worth = willingness_to_pay(found, "operating").of("operating").estimate
    assert worth == pytest.approx(-0.7349, abs=FOUR)


@pytest.mark.surveys
def test_heating_with_constants():
    found = fit_logit(
        choice_sets.heating(), constants="alternatives", reference="hp", errors="classical"
    )
    assert found.log_likelihood == pytest.approx(-1008.2287, abs=FOUR)
    worth = willingness_to_pay(found, "operating").of("operating").estimate
    assert worth == pytest.approx(-4.563, abs=PRINTED * 1e-3)


@pytest.mark.surveys
def test_train():
    data = choice_sets.train()
    found = fit_logit(data, errors="classical")
    printed = [-0.0673580, -1.7205514, -0.3263409, -0.9457256]
    assert found.coefficients.tolist() == pytest.approx(printed, abs=STOPPED_SHORT)
    assert found.log_likelihood == pytest.approx(-1724.1500, abs=FOUR)
    assert (data.respondents, data.tasks) == (235, 2929)


def test_mode_canada():
    found = fit_logit(
        choice_sets.mode_canada(),
        attributes=["freq"],
        constants="alternatives",
        reference="car",
        interactions=["alternative:income", "alternative:time"],
        errors="classical",
    )
    assert found.tasks == 2769
    assert found.log_likelihood == pytest.approx(-1951.344, abs=PRINTED * 1e-3)
    assert found.coefficients["cost"] == pytest.approx(-0.02849715, abs=PRINTED * 1e-8)
    hours = willingness_to_pay(found, "time").frame.set_index("level")["willingness_to_pay"] * -60
    printed = {"car": 29.53, "train": 23.09, "air": 36.95}
    for mode, value in printed.items():
        assert hours[f"one more, {mode}"] == pytest.approx(value, abs=PRINTED * 1e-2)


@pytest.mark.surveys
def test_yogurt():
    found = fit_logit(choice_sets.yogurt(), constants="alternatives", errors="classical")
    assert found.coefficients["price"] == pytest.approx(-0.36658, abs=FIVE)
    assert found.coefficients["feature"] == pytest.approx(0.49143, abs=FIVE)
    assert found.log_likelihood == pytest.approx(-2656.8879, abs=FOUR)


def test_electricity_contracts():
    found = fit_logit(choice_sets.electricity(), errors="classical")
    printed = {"pf": -0.62523, "cl": -0.10830, "loc": 1.44224, "wk": 0.99550}
    for name, value in printed.items():
        assert found.coefficients[name] == pytest.approx(value, abs=FIVE)
    assert found.log_likelihood == pytest.approx(-4958.649, abs=PRINTED * 1e-3)


CROSSED = ["is electric:coml5", "is electric:college", "is methanol:college"]


@pytest.mark.surveys
def test_cars_once_the_labels_are_right():
    found = fit_logit(choice_sets.cars(), interactions=CROSSED, errors="classical")
    assert found.log_likelihood == pytest.approx(-7391.83, abs=PRINTED * 1e-2)
    assert found.coefficients["price"] == pytest.approx(-0.185, abs=PRINTED * 1e-3)
    assert found.coefficients["pollution"] == pytest.approx(-0.444, abs=PRINTED * 1e-3)
    # pollution of an ordinary new car is 1: doing without it is worth 2.4 of price / ln(income)
    green = willingness_to_pay(found, "pollution").of("pollution")
    assert green.estimate == pytest.approx(-0.444 / 0.185, abs=0.01)
    assert green.upper < 0


@pytest.mark.surveys
def test_cars_with_the_labels_as_packaged_do_not_give_the_published_fit():
    found = fit_logit(choice_sets.cars(right_labels=False), interactions=CROSSED)
    assert found.log_likelihood == pytest.approx(-7394.62, abs=PRINTED * 1e-2)


def plain_halton(respondents: int, random: int, draws: int) -> np.ndarray:
    """Halton points of the first primes without the first hundred, respondent by respondent."""
    from scipy.stats.qmc import Halton

    points = Halton(random, scramble=False).random(100 + respondents * draws)[100:]
    return ndtri(points.reshape(respondents, draws, random).transpose(0, 2, 1))


MEANS = [-0.9734, -0.2056, 2.0757, 1.4756, -9.0525, -9.1038]
SPREADS = [0.2199, 0.3783, 1.4830, 1.0001, 2.2895, 1.1809]
"""What xlogit 0.2.7 prints for all six coefficients normal, 100 draws."""


def test_simulated_likelihood_of_electricity_contracts():
    """The value xlogit prints, at its estimates and its draws."""
    data = choice_sets.electricity()
    names = [data.price, *data.attributes]
    logit = fit_logit(data)
    mixing = mixing_of(names, data.price, np.zeros(6), dict.fromkeys(names, "normal"), "preference")
    noise = plain_halton(data.respondents, len(names), 100)
    place = np.array([*MEANS, *SPREADS])
    values, _ = simulated_scores(place, respondent_panel(logit), mixing, noise)
    # estimates rounded to four decimals move the value in its third digit after the point
    assert values.sum() == pytest.approx(-3952.49, abs=0.02)
