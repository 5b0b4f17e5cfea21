"""Markov chains: the example of Pfeifer & Carraway, stopping rules, chains from purchases."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.lifetime.chains.buying_states import fit_recency_chain
from keycustomer.lifetime.chains.markov import CustomerChain, recency_chain

ROUNDING = 1e-9
RECALLED = 0.00051  # numbers with three decimals


@pytest.fixture
def mailing():
    """The example of Pfeifer & Carraway (2000): five states, a contribution of 40, a mailing 4."""
    return recency_chain([0.3, 0.2, 0.15, 0.05], 40.0, 4.0)


def test_values_of_the_example(mailing):
    for_ever = [52.320, 5.554, 1.251, -1.820, 0]
    np.testing.assert_allclose(mailing.value(0.2), for_ever, atol=RECALLED)
    four_periods = [50.115, 4.220, 0.592, -1.980, 0]
    np.testing.assert_allclose(mailing.value(0.2, 4), four_periods, atol=RECALLED)


def test_stopping_in_time_is_worth_more(mailing):
    stopped = mailing.stopped(["recency 4"])
    assert stopped.value(0.2)[0] == pytest.approx(53.149, abs=RECALLED)
    rule = mailing.best_rule(0.2).set_index("state")
    assert rule.index[rule["give_up"]].tolist() == ["recency 4"]
    assert rule["best_value"].tolist() == pytest.approx(stopped.value(0.2))
    assert rule["value"].tolist() == pytest.approx(mailing.value(0.2))
    assert (mailing.reward == [36, -4, -4, -4, 0]).all()  # the chain itself is as it was


def test_the_best_rule_is_the_best_of_all_rules():
    generator = np.random.default_rng(2)
    for _ in range(20):
        transition = generator.dirichlet(np.full(4, 0.5), 4)
        states = ("a", "b", "c", "d")
        chain = CustomerChain(states, transition, generator.normal(0, 5, 4))
        best = chain.best_rule(0.15)["best_value"].to_numpy()
        rules = itertools.chain(*(itertools.combinations(states, n) for n in range(5)))
        values = [chain.stopped(rule).value(0.15) for rule in rules]
        np.testing.assert_allclose(best, np.max(values, axis=0), atol=1e-6)


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0.01, 1), st.integers(0, 30))
def test_a_horizon_leaves_out_what_lies_beyond(chances, rate, horizon):
    chain = recency_chain(chances, 40.0, 1.0)
    reached = np.linalg.matrix_power(chain.transition, horizon + 1)
    beyond = reached @ chain.value(rate) / (1 + rate) ** (horizon + 1)
    np.testing.assert_allclose(chain.value(rate, horizon) + beyond, chain.value(rate), atol=1e-8)


def test_value_is_the_mean_of_simulated_customers(mailing):
    generator, n = np.random.default_rng(5), 40_000
    state, total = np.zeros(n, int), np.zeros(n)
    for period in range(30):
        total += mailing.reward[state] / 1.2**period
        buys = generator.random(n) < mailing.transition[state, 0]
        state = np.where(buys, 0, np.minimum(state + 1, 4))
    error = 4 * total.std() / n**0.5
    assert mailing.value(0.2)[0] == pytest.approx(total.mean(), abs=error)


def test_a_month_is_discounted_as_a_month():
    chain = recency_chain([0.5], 10.0, unit="month")
    factor = 1.1 ** (-1 / 12)
    assert chain.value(0.1)[0] == pytest.approx(10 / (1 - 0.5 * factor), rel=1e-12)
    assert chain.to_frame().columns.tolist() == ["state", "reward", "to recency 1", "to former"]
    assert "one step a month" in chain._repr_html_()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: recency_chain([0.3, 1.2], 1.0), "shares between 0 and 1"),
        (lambda: recency_chain([], 1.0), "purchase_probabilities is empty"),
        (lambda: recency_chain([0.3], 1.0, -4), "the cost as a positive one"),
        (lambda: CustomerChain(("a",), np.eye(2), np.zeros(1)), "transition matrix of shape"),
        (lambda: CustomerChain(("a",), np.array([[0.5]]), np.zeros(1)), "row of state 'a' must"),
        (lambda: CustomerChain(("a",), np.eye(1), np.array([np.nan])), "reward must be finite"),
        (lambda: recency_chain([0.3], "1"), "contribution='1' and contact_cost=0.0: amounts"),
        (lambda: recency_chain([0.3], 1.0).stopped("x"), r"states=\['x'\]: the chain has"),
        (lambda: recency_chain([0.3], 1.0).value(0.0), "discount_rate=0 without a horizon"),
        (lambda: recency_chain([0.3], 1.0).value(0.1, 2.5), "horizon=2.5"),
        (lambda: recency_chain([0.3], 1.0).stopped(["x"]), "the chain has recency 1, former"),
    ],
)
def test_what_is_no_chain_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# -- chains from purchases -------------------------------------------------------------------

DAYS = pd.DataFrame(
    [
        ("a", "2024-01-05", 10.0),
        ("a", "2024-01-25", 10.0),
        ("a", "2024-02-05", 10.0),
        ("a", "2024-05-05", 10.0),
        ("b", "2024-01-05", 40.0),
        ("c", "2024-06-30", 20.0),
        ("d", "2024-07-01", 99.0),
    ],
    columns=["customer_id", "date", "revenue"],
)


def test_a_chain_by_hand():
    fitted = fit_recency_chain(
        DAYS, "month", longest=2, margin=0.5, contact_cost=1.0, end="2024-07-10"
    )
    # a bought after 1 and after 3 months and then not for 1; b not for 5; c bought last
    counts = fitted.counts
    assert counts["at_risk"].tolist() == [4, 2]  # a, a, a, b; then a before May, b
    assert counts["bought"].tolist() == [1, 0]
    assert fitted.returned == 0.5
    assert fitted.customers.to_numpy().tolist() == [
        ["a", "recency 2"],
        ["b", "former"],
        ["c", "recency 1"],
    ]
    contribution = 0.5 * 100 / 5
    assert fitted.chain.reward.tolist() == [contribution - 1, -1, 0]
    value = fitted.value(0.1)
    assert value["customers"].tolist() == [1, 1, 1]
    assert value["to_come"].iloc[0] == pytest.approx(value["value"].iloc[0] - contribution)
    assert fitted.equity(0.1).estimate == pytest.approx(value["to_come"].sum())
    assert "from customers given up" in fitted._repr_html_() and "no interval" in (
        fitted.equity(0.1).method
    )


def test_probabilities_are_recovered_and_intervals_hold_them():
    generator, chances = np.random.default_rng(6), np.array([0.5, 0.3, 0.1])
    rows, state = [], np.zeros(4000, int)
    for period in range(14):
        buyers = np.flatnonzero(state == 0)
        rows.append(pd.DataFrame({"customer_id": buyers, "date": f"{2000 + period}-06-01"}))
        buys = generator.random(state.size) < np.append(chances, 0.0)[state]
        state = np.where(buys, 0, np.minimum(state + 1, 3))
    fitted = fit_recency_chain(
        pd.concat(rows).assign(revenue=7.0), "year", longest=3, end="2013-12-31"
    )
    counts = fitted.counts
    error = np.sqrt(chances * (1 - chances) / counts["at_risk"])
    assert (np.abs(counts["probability"] - chances) < 4 * error).all()
    assert fitted.returned == 0
    truth = recency_chain(chances, 7.0)
    values = fitted.value(0.1, draws=100, seed=1)
    apart = np.abs(values["value"] - truth.value(0.1)).to_numpy()
    assert (apart <= (values["upper"] - values["lower"]).to_numpy() + ROUNDING).all()
    equity = fitted.equity(0.1, draws=100, seed=1)
    assert equity.lower < equity.estimate < equity.upper and "100 draws" in equity.method
    again = fitted.value(0.1, draws=100, seed=1)
    pd.testing.assert_frame_equal(values, again)


def test_counts_by_another_way(cdnow_base):
    from keycustomer.customers import purchase_days

    fitted = fit_recency_chain(cdnow_base, "month", longest=6, end="1998-03-31")
    days = purchase_days(cdnow_base, end="1998-03-31")
    grid = pd.crosstab(days["customer_id"], days["date"].dt.to_period("M")).to_numpy() > 0
    since = np.full(len(grid), np.inf)
    at_risk, bought = np.zeros(6), np.zeros(6)
    for month in grid.T:
        for recency in range(1, 7):
            there = since == recency
            at_risk[recency - 1] += there.sum()
            bought[recency - 1] += (there & month).sum()
        since = np.where(month, 1, since + 1)
    assert fitted.counts["at_risk"].tolist() == at_risk.tolist()
    assert fitted.counts["bought"].tolist() == bought.tolist()
    states = fitted.customers["state"].value_counts()
    assert states["recency 1"] == (since == 1).sum() and states["former"] == (since > 6).sum()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"longest": 0}, "longest=0"),
        ({"longest": 9}, "nobody was seen for so many months after a purchase; give at most 5"),
        ({"longest": 1, "margin": 30}, "30 % is margin=0.3"),
        ({"end": "2024-01-20"}, "no month with a purchase is over yet"),
        ({"every": "fortnight"}, "every='fortnight'"),
    ],
)
def test_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fit_recency_chain(DAYS, **{"end": "2024-06-30", **options})
