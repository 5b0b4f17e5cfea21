"""Shares of offers, and the best price of one: closed forms, searches and refusals."""

import choice_sets
import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import (
    LogitDemand,
    LogitModel,
    NoOptimalPrice,
    fit_logit,
    fit_mixed_logit,
    offer_shares,
    price_response,
    read_choices,
)
from scipy.optimize import minimize_scalar

EXACT = 1e-9
SEARCHED = 1e-5  # two searches of the same peak
OFFERS = {
    "plain": {"price": 80.0, "service": "hotline", "energy": "standard"},
    "plus": {"price": 100.0, "service": "person", "energy": "green"},
}
NONE = "none of these"


@pytest.fixture(scope="module")
def model() -> LogitModel:
    return fit_logit(choice_sets.known_choices(200, 6, seed=4))


@pytest.fixture(scope="module")
def differing() -> LogitModel:
    """A model in which respondents mind the price differently by a trait."""
    trait = pd.Series({f"R{n}": n % 3 for n in range(200)}, name="trait")
    rows = choice_sets.known_rows(200, 6, seed=4)
    levels = {"service": ["hotline", "person"], "energy": ["standard", "green"]}
    data = read_choices(rows, levels=levels, traits=trait, currency="EUR")
    return fit_logit(data, interactions=["price:trait", "service:trait"])


def by_hand(model: LogitModel, prices: tuple[float, float]) -> np.ndarray:
    """Shares of plain, plus and none from the coefficients."""
    b = model.coefficients
    plus = b["service: person"] + b["energy: green"]
    utility = np.array(
        [b["price"] * prices[0], b["price"] * prices[1] + plus, b["none of the offers"]]
    )
    weight = np.exp(utility - utility.max())
    return weight / weight.sum()


def test_shares_by_hand(model):
    found = offer_shares(model, OFFERS)
    rows = found.of_group("all")
    assert rows["offer"].tolist() == ["plain", "plus", NONE]
    assert rows["share"].to_numpy() == pytest.approx(by_hand(model, (80.0, 100.0)), rel=EXACT)
    assert rows["share"].sum() == pytest.approx(1.0)
    assert (rows["lower"] < rows["share"]).all() and (rows["share"] < rows["upper"]).all()
    assert rows["revenue"][1] == pytest.approx(100 * rows["share"][1])
    assert found.sentence.startswith("Simulated: ") and "take" in found.sentence
    assert "plus" in found._repr_html_() and found.of("plus").n == 200


def test_intervals_are_those_of_the_delta_method(model):
    """For a share, the delta method's error is s (x - mean x) V (x - mean x) s."""
    found = offer_shares(model, OFFERS, draws=4000, seed=1).of("plus")
    from keycustomer.pricing.choice.offer_rows import offer_rows

    design = offer_rows(model, OFFERS).design[0]
    share = by_hand(model, (80.0, 100.0))
    slope = share[1] * (design[1] - share @ design)
    error = float(np.sqrt(slope @ model.covariance.to_numpy() @ slope))
    # ends of 4,000 draws are known to a tenth of an error, and the share is nearly linear there
    assert found.upper - found.lower == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_without_none_and_as_a_table(model):
    table = pd.DataFrame(OFFERS).T.rename_axis("offer").reset_index()
    found = offer_shares(model, table, none=False).of_group("all")
    share = by_hand(model, (80.0, 100.0))[:2]
    assert found["share"].to_numpy() == pytest.approx(share / share.sum(), rel=EXACT)


def test_order_of_offers_and_an_equal_twin_change_nothing_but_the_split(model):
    turned = offer_shares(model, dict(reversed(OFFERS.items()))).of("plus").estimate
    assert turned == pytest.approx(offer_shares(model, OFFERS).of("plus").estimate, rel=EXACT)
    twin = offer_shares(model, {**OFFERS, "copy": OFFERS["plus"]})
    assert twin.of("copy").estimate == pytest.approx(twin.of("plus").estimate, rel=EXACT)


def test_shares_over_respondents_who_differ(differing):
    """The mean over the kinds of respondents, each fixed by `at`."""
    whole = offer_shares(differing, OFFERS).of("plus").estimate
    parts = [offer_shares(differing, OFFERS, at={"trait": k}).of("plus").estimate for k in range(3)]
    assert whole == pytest.approx(np.average(parts, weights=[67, 67, 66]), rel=EXACT)


def test_shares_by_group():
    half = pd.Series({f"R{n}": ("even", "odd")[n % 2] for n in range(100)}, name="half")
    rows = choice_sets.known_rows(100, 6, seed=8)
    data = read_choices(rows, levels={"service": ["hotline", "person"]}, traits=half)
    model = fit_logit(data, by="half")
    found = offer_shares(model, OFFERS)
    assert found.groups == ("all", "even", "odd")
    alone = offer_shares(model.groups["odd"], OFFERS).of("plus").estimate
    assert found.of("plus", "odd").estimate == pytest.approx(alone)
    with pytest.raises(ValueError, match="no group 'both'"):
        found.of_group("both")
    with pytest.raises(ValueError, match="no offer 'gold'"):
        found.of("gold")


def test_labelled_alternatives_are_offers():
    rows = choice_sets.known_rows(100, 5, seed=1)
    rows = rows[rows["alternative"] != NONE]
    data = read_choices(rows, levels={"service": ["hotline", "person"]}, broken="exclude")
    model = fit_logit(data, constants="alternatives")
    own = {name: OFFERS["plain"] for name in data.alternatives}
    share = offer_shares(model, own).of_group("all")["share"].to_numpy()
    constants = [0.0] + [model.coefficients[f"alternative: {a}"] for a in data.alternatives[1:]]
    assert share == pytest.approx(np.exp(constants) / np.exp(constants).sum(), rel=EXACT)


def test_mixed_logit_shares_and_best_price():
    mixed = fit_mixed_logit(choice_sets.known_choices(80, 6, spread=20.0, seed=1), draws=10)
    found = offer_shares(mixed, OFFERS, draws=100)
    plain = offer_shares(mixed.logit, OFFERS, draws=100)
    gap = found.of_group("all")["share"] - plain.of_group("all")["share"]
    assert found.of_group("all")["share"].sum() == pytest.approx(1.0)
    assert 0 < gap.abs().max() < 0.15 and found.method.startswith("mixed logit")
    best = price_response(mixed, OFFERS, "plus", unit_cost=40.0, draws=100)
    assert best.best.lower < best.best.estimate < best.best.upper
    near = price_response(
        mixed, OFFERS, "plus", unit_cost=40.0, draws=100, prices=np.linspace(70, 110, 81)
    )
    top = near.frame.loc[near.frame["profit"].idxmax()]
    assert best.best.estimate == pytest.approx(top["price"], abs=0.5)
    assert best.best_profit >= top["profit"] * (1 - SEARCHED)


def test_best_price_is_that_of_logit_demand(model):
    """Others and none together are the outside option of the closed form by Lambert's W."""
    found = price_response(model, OFFERS, "plus", unit_cost=40.0)
    b = model.coefficients
    outside = np.logaddexp(b["price"] * 80.0, b["none of the offers"])
    worth = b["service: person"] + b["energy: green"] - outside
    demand = LogitDemand(worth, b["price"])
    assert found.best.estimate == pytest.approx(demand.best_price(40.0), rel=EXACT)
    assert found.best_profit == pytest.approx(demand.profit(found.best.estimate, 40.0), rel=EXACT)
    row = found.frame.iloc[10]
    assert row["elasticity"] == pytest.approx(demand.elasticity(row["price"]), rel=EXACT)
    assert found.gain >= 0 and found.tested == (60.0, 120.0)
    assert "brings the largest profit" in found.sentence and "Some prices" in found._repr_html_()


def test_best_price_over_respondents_who_differ(differing):
    found = price_response(differing, OFFERS, "plus", unit_cost=40.0)

    def loss(price: float) -> float:
        own = {**OFFERS, "plus": {**OFFERS["plus"], "price": price}}
        return -(price - 40.0) * offer_shares(differing, own, draws=100).of("plus").estimate

    best = minimize_scalar(loss, bounds=(50, 150), method="bounded", options={"xatol": 1e-4})
    assert found.best.estimate == pytest.approx(best.x, rel=SEARCHED)
    assert found.best_profit == pytest.approx(-best.fun, rel=SEARCHED)


def test_best_price_rises_with_cost_and_holds_the_truth():
    held = []
    true = LogitDemand(
        choice_sets.SENSITIVITY * (choice_sets.BASIC + sum(choice_sets.WORTH.values())),
        -choice_sets.SENSITIVITY,
    ).best_price(40.0)
    only = {"plus": OFFERS["plus"]}
    for seed in range(20):
        model = fit_logit(choice_sets.known_choices(40, 4, seed=300 + seed))
        best = price_response(model, only, "plus", unit_cost=40.0).best
        held.append(best.lower <= true <= best.upper)
        assert price_response(model, only, "plus", unit_cost=50.0, draws=100).best.estimate > (
            best.estimate
        )
    assert np.mean(held) >= 0.8  # of 20 intervals of 95 %: fewer than 16 in 3 of 10,000


def test_best_price_beyond_what_was_tested_is_told(model):
    found = price_response(model, OFFERS, "plus", unit_cost=300.0)
    assert found.best.estimate > 300 and "outside the prices tested" in found.notes[-1]
    assert len(found.frame) == 1


def test_alone_and_must_be_taken(model):
    with pytest.raises(NoOptimalPrice, match="stands alone and must be taken"):
        price_response(model, {"plus": OFFERS["plus"]}, "plus", none=False)


def test_a_price_that_attracts_has_no_best_price(model):
    rows = model.data.frame.drop(columns="is_none")
    turned = rows.assign(price=-rows["price"])
    wrong = fit_logit(read_choices(turned, levels=model.data.levels))
    with pytest.raises(NoOptimalPrice, match="not negative"):
        price_response(wrong, OFFERS, "plus")


@pytest.mark.parametrize(
    ("offers", "message"),
    [
        ({}, "offers is empty"),
        (
            {"one": {"price": 80.0, "service": "hotline"}},
            "offers: 'one' without 'energy'; the model needs price",
        ),
        ({"one": {**OFFERS["plus"], "service": "robot"}}, "holds 'robot'; the model knows"),
        ({"one": {**OFFERS["plus"], "price": None}}, "without 'price'"),
        ({"one": {**OFFERS["plus"], "price": -1.0}}, "'one' with a price below 0"),
        ({"none of these": OFFERS["plus"]}, "stands for taking no offer"),
        (pd.DataFrame([OFFERS["plus"]], index=[None]), "an offer without a name"),
    ],
)
def test_offers_that_cannot_be(model, offers, message):
    with pytest.raises(ValueError, match=message):
        offer_shares(model, offers)


def test_arguments_that_cannot_be(model):
    with pytest.raises(TypeError, match="give a table with a row an offer"):
        offer_shares(model, ["plus"])
    with pytest.raises(TypeError, match="fit one with fit_logit"):
        offer_shares("model", OFFERS)
    with pytest.raises(ValueError, match="twice"):
        offer_shares(model, pd.DataFrame([OFFERS["plus"]] * 2, index=["a", "a"]))
    with pytest.raises(ValueError, match="draws=5"):
        offer_shares(model, OFFERS, draws=5)
    with pytest.raises(ValueError, match="offer='gold' is not among the offers"):
        price_response(model, OFFERS, "gold")
    with pytest.raises(ValueError, match="unit_cost=-1"):
        price_response(model, OFFERS, "plus", unit_cost=-1)
    with pytest.raises(ValueError, match="prices="):
        price_response(model, OFFERS, "plus", prices=[-1.0])


@pytest.mark.parametrize("unit", [1e-6, 1e9])
def test_best_prices_keep_their_digits_in_every_unit_of_money(model, unit):
    best = price_response(model, OFFERS, "plus").best.estimate
    frame = model.data.frame.drop(columns="is_none")
    dear = fit_logit(
        read_choices(frame.assign(price=frame["price"] * unit), levels=model.data.levels)
    )
    offers = {name: {**one, "price": one["price"] * unit} for name, one in OFFERS.items()}
    found = price_response(dear, offers, "plus")
    assert found.best.estimate == pytest.approx(best * unit, rel=1e-6)
    assert " 0.00" not in found.sentence
