"""Mixed logit: derivatives, limits, known spreads, and models that cannot be compared."""

import choice_sets
import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import (
    ChoiceData,
    MixedLogitModel,
    compare_likelihoods,
    fit_logit,
    fit_mixed_logit,
    read_choices,
)
from keycustomer.pricing.choice.mixed import respondent_panel
from keycustomer.pricing.choice.mixing import mixing_of
from keycustomer.pricing.choice.simulated_likelihood import normal_points, simulated_scores

SPREAD = 20.0
"""True spread of the worth of the service, EUR."""


@pytest.fixture(scope="module")
def varied() -> ChoiceData:
    return choice_sets.known_choices(200, 8, spread=SPREAD, seed=3)


@pytest.fixture(scope="module")
def fitted(varied) -> MixedLogitModel:
    return fit_mixed_logit(varied, random=["service"], draws=100)


@pytest.mark.parametrize("size", [1e9, 1e-9])
def test_the_unit_of_money_does_not_matter(size):
    known = choice_sets.known_choices(60, 5, spread=SPREAD, seed=3)
    other = read_choices(known.frame.assign(price=known.frame["price"] * size))
    plain, found = (fit_mixed_logit(one, random=["service"], draws=30) for one in (known, other))
    assert found.at_rest and plain.at_rest
    assert found.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-6)
    worth = "service: person"
    assert found.parameters[worth] / size == pytest.approx(plain.parameters[worth], rel=1e-3)
    errors = [one.covariance.loc[worth, worth] ** 0.5 for one in (plain, found)]
    assert errors[1] / size == pytest.approx(errors[0], rel=1e-3)


@pytest.mark.parametrize("space", ["preference", "willingness to pay"])
def test_derivatives_by_differences(space):
    logit = fit_logit(choice_sets.known_choices(12, 3, seed=1), errors="classical")
    names = logit.coding.names
    kinds = {"price": "lognormal", "service: person": "normal"}
    kinds["energy: green"] = "lognormal" if space == "preference" else "normal"
    mixing = mixing_of(names, "price", logit.coefficients.to_numpy(), kinds, space)
    panel, noise = respondent_panel(logit), normal_points(12, 3, 16, 5)
    place = np.array([-4.0, -2.5, 0.7, 0.4, 0.3, 0.6, 0.5])
    _, scores = simulated_scores(place, panel, mixing, noise)
    for k, step in enumerate(1e-6 * np.eye(7)):
        up, down = (simulated_scores(place + s * step, panel, mixing, noise)[0] for s in (1, -1))
        assert scores[:, k] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-7)


def test_likelihood_by_hand():
    """Every respondent's average over draws of the product of its tasks' probabilities."""
    data = choice_sets.known_choices(5, 3, seed=2)
    logit = fit_logit(data, errors="classical")
    mixing = mixing_of(
        logit.coding.names,
        "price",
        logit.coefficients.to_numpy(),
        {"service: person": "normal"},
        "preference",
    )
    noise = normal_points(5, 1, 7, 0)
    place = np.append(logit.coefficients.to_numpy(), 0.8)
    values, _ = simulated_scores(place, respondent_panel(logit), mixing, noise)
    design = logit.coding.design(data.frame)
    service = logit.coding.names.index("service: person")
    who = data.frame["respondent_id"].to_numpy()
    for n, name in enumerate(data.frame["respondent_id"].unique()):
        chances = []
        for draw in noise[n, 0]:
            own = place[:-1].copy()
            own[service] += 0.8 * draw
            weight = np.exp(design @ own)
            frame = data.frame.assign(weight=weight)[who == name]
            share = frame["weight"] / frame.groupby("task")["weight"].transform("sum")
            chances.append(share[frame["chosen"]].prod())
        assert values[n] == pytest.approx(np.log(np.mean(chances)), rel=1e-10)


def test_respondents_who_do_not_differ_are_a_logit(varied):
    plain = fit_logit(varied)
    same = fit_mixed_logit(varied, random=[], space="preference", draws=4)
    assert same.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-9)
    assert same.parameters.to_numpy() == pytest.approx(plain.coefficients, rel=1e-4)
    # both are sandwiches over respondents
    errors = np.sqrt(np.diag(same.covariance))
    assert errors == pytest.approx(plain.standard_errors.to_numpy(), rel=1e-4)


def test_known_spread_and_worth_are_found(fitted):
    assert fitted.at_rest and fitted.notes == ()
    row = fitted.worths.set_index("attribute").loc["service"]
    assert row["lower"] < choice_sets.WORTH["service"] < row["upper"]
    spread = fitted.frame.set_index("coefficient").loc["service: person"]
    assert spread["spread"] == pytest.approx(SPREAD, abs=3 * spread["spread_error"])
    # the part of a normal law with mean 12 and spread 20 above zero
    assert row["share_above_zero"] == pytest.approx(0.726, abs=0.1)
    assert fitted.sentence.startswith("Simulated: 200 respondents, 1,600 tasks: log-likelihood")
    assert "service: person" in fitted._repr_html_()


def test_single_respondents_are_told_apart(fitted, varied):
    """The mean given the choices goes with how often the service was taken, and shrinks."""
    frame = varied.frame[varied.frame["chosen"]]
    taken = frame["service"].eq("person").groupby(frame["respondent_id"]).mean()
    own = fitted.individual["service: person"]
    assert np.corrcoef(own, taken.loc[own.index])[0, 1] > 0.7
    assert own.std() < fitted.frame.set_index("coefficient").loc["service: person", "spread"]
    assert own.mean() == pytest.approx(fitted.parameters["service: person"], abs=1.5)


def test_worths_of_both_spaces_agree_where_the_price_is_the_same_for_all(varied):
    in_money = fit_mixed_logit(varied, random={"service": "normal", "price": "fixed"}, draws=60)
    in_utility = fit_mixed_logit(varied, random=["service"], draws=60, space="preference")
    assert in_money.log_likelihood == pytest.approx(in_utility.log_likelihood, abs=1e-4)
    for name in ("willingness_to_pay", "standard_error", "spread"):
        one, two = in_money.worths[name], in_utility.worths[name]
        assert one.to_numpy() == pytest.approx(two.to_numpy(), rel=2e-3, abs=2e-3)


def test_mixed_against_plain_and_equal_draws_only(fitted, varied):
    plain = fit_logit(varied)
    test = compare_likelihoods(plain, fitted)
    assert test.parameters == 2 and test.p_value < 1e-6
    other = fit_mixed_logit(varied, random=[], draws=10)
    with pytest.raises(ValueError, match="10 draws with seed 0 and 100 draws with seed 0"):
        compare_likelihoods(other, fitted)


def test_the_same_seed_gives_the_same_model():
    data = choice_sets.known_choices(40, 4, spread=SPREAD, seed=1)
    one, two, three = (
        fit_mixed_logit(data, random=["service"], draws=20, seed=seed) for seed in (1, 1, 2)
    )
    assert one.parameters.equals(two.parameters)
    assert one.log_likelihood != three.log_likelihood


def test_tasks_of_different_number_by_respondent():
    data = choice_sets.known_choices(40, 4, spread=SPREAD, seed=1)
    first = data.frame["respondent_id"].isin(["R0", "R1"]) & (data.frame["task"] > 0)
    found = fit_mixed_logit(data.where(~first), random=["service"], draws=20)
    assert found.at_rest and found.data.tasks == 154


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"draws": 1}, "at least 2 a respondent"),
        ({"space": "utility"}, "'preference' or 'willingness to pay'"),
        ({"random": ["colour"]}, "coefficients are none of the offers, price"),
        ({"random": {"service": "uniform"}}, "kinds are fixed, normal, lognormal"),
        ({"random": {"price": "normal"}}, "a price that some respondents like"),
        ({"random": {"service": "lognormal"}}, "only the price can be lognormal"),
    ],
)
def test_arguments_that_cannot_be(varied, arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_mixed_logit(varied, **arguments)


def test_prices_that_attract_and_ratios_that_have_no_mean(varied):
    turned = varied.frame.assign(price=-varied.frame["price"]).drop(columns="is_none")
    data = read_choices(turned, levels=varied.levels)
    with pytest.raises(ValueError, match="so that nothing can be expressed in money"):
        fit_mixed_logit(data, draws=4)
    random_price = fit_mixed_logit(
        varied, random={"price": "lognormal"}, space="preference", draws=10
    )
    with pytest.raises(ValueError, match="a ratio of random numbers"):
        random_price.worths.head()
    with pytest.raises(TypeError, match="one text; give a list"):
        fit_mixed_logit(varied, random="service")


def test_against_xlogit_where_it_is_installed(varied):
    xlogit = pytest.importorskip("xlogit")
    rows = varied.frame
    rows = rows[rows.groupby(["respondent_id", "task"])["chosen"].transform("size") == 4]
    data = read_choices(rows.drop(columns="is_none"), levels=varied.levels)
    logit = fit_logit(data)
    design = logit.coding.design(data.frame)
    sizes = np.diff(data.starts, append=len(data.frame))
    theirs = xlogit.MixedLogit()
    theirs.fit(
        X=design,
        y=data.frame["chosen"].to_numpy(),
        varnames=logit.coding.names,
        alts=np.tile(np.arange(4), data.tasks),
        ids=np.repeat(np.arange(data.tasks), sizes),
        panels=pd.factorize(data.frame["respondent_id"])[0],
        randvars={"service: person": "n"},
        n_draws=200,
        verbose=0,
    )
    ours = fit_mixed_logit(data, random=["service"], space="preference", draws=200)
    # other Halton points: the values differ by the noise of the draws
    assert ours.log_likelihood == pytest.approx(theirs.loglikelihood, abs=1.5)
    gap = np.abs(ours.parameters.to_numpy() - theirs.coeff_)
    assert (gap < 0.25 * np.sqrt(np.diag(ours.covariance))).all()
